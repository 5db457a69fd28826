"""Keras 3 and tf_keras behind one door."""

import os

# TensorFlow reads it when it is imported, behind this door. Its own pool for oneDNN never gives
# memory back: a ResNet50 that has answered once would hold another copy of its weights.
os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "true")

"""Keras 3 and tf_keras behind one door."""

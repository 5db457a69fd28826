"""Classes that Keras exports and that the studio knows it cannot cut, each with its reason."""

from __future__ import annotations

from pruning.analysis.layer_rules._flow import frozen

RULES = (
    frozen(
        "foreign code",
        "It runs code or a graph of its own, which the studio does not load.",
        ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"),
    ),
    frozen(
        "base class",
        "It is a class to derive layers from: what a derived class does is not known.",
        ("Layer", "Wrapper", "AbstractRNNCell", "PreprocessingLayer"),
    ),
    frozen(
        "cell",
        "It is one step of a recurrent layer: inside RNN it is cut, alone it is not.",
        ("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"),
    ),
    frozen(
        "feature tables",
        "It looks up or gathers features by what the data holds: its width is given by the data.",
        ("DenseFeatures", "DynamicEmbedding", "DynamicLookup"),
    ),
    frozen(
        "several steps in one",
        "It holds other layers in its configuration, or boxes instead of channels.",
        ("Pipeline", "MaxNumBoundingBoxes"),
    ),
)

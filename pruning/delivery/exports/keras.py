"""The Keras v3 file ``.keras``, written and read by the model's own Keras."""

from pruning.delivery.exports._base import Export
from pruning.delivery.exports._own_keras import read, write

EXPORT = Export("keras", ".keras", "Keras file of the model's own Keras", 1e-6, write, read)

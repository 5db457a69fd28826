"""The HDF5 file ``.h5`` of Keras 2 times, written and read by the model's own Keras."""

from pruning.delivery.exports._base import Export
from pruning.delivery.exports._own_keras import read, write

EXPORT = Export("h5", ".h5", "HDF5 file of the model's own Keras", 1e-6, write, read)

"""What a model's configuration may name, checked before any Keras reads it.

Keras rebuilds objects from the module and class names in the file. Only layers, operations and
their initializers, regularizers, constraints and activations may be named here; whatever could run
code of the file's author, read other files or call arbitrary functions is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pruning.errors import ModelFileError
from pruning.frameworks.container import ModelFile
from pruning.frameworks.refusals import SAVE_AGAIN

_ROOTS = r"(?:tf_)?keras(?:\.src)?"
_MODULE = re.compile(
    rf"{_ROOTS}(?:\.(?:layers|models|engine|ops|applications|initializers|regularizers|constraints"
    r"|activations|mixed_precision|dtype_policies|random)(?:\.\w+)*)?"
)
_FUNCTION_MODULE = re.compile(rf"builtins|{_ROOTS}\.activations(?:\.activations)?")
_QUANTIZED = re.compile(r"(?:Quantized\w*|Int4|GPTQ|AWQ)DTypePolicy")
_VALUES = {
    "__keras_tensor__",
    "__tensor__",
    "__numpy__",
    "__slice__",
    "__ellipsis__",
    "__tuple__",
    "__bytes__",
    "TensorShape",
}
_MODELS = {"Sequential", "Functional", "Model"}
_FOREIGN = {
    "TFSMLayer": "runs a SavedModel",
    "TorchModuleWrapper": "runs a PyTorch module",
    "JaxLayer": "runs a JAX function",
    "FlaxLayer": "runs a Flax module",
    "TensorFlowOpLayer": "runs a raw TensorFlow operation",
    "ClassMethod": "calls a method of a tensor class",
    "InstanceMethod": "calls a method of a tensor",
    "InstanceProperty": "reads a property of a tensor",
    "StringLookup": "reads strings, not numbers",
    "TextVectorization": "reads strings, not numbers",
}
_REBUILD = "Rebuild that part with Keras's own layers, and save the model again."
_BEHIND = (
    "Save the part of the model behind that layer: keras.Model(its output, model.output)."
    " The studio prepares text itself."
)
# Layers that a Keras registers for its own applications, the way users register theirs.
_OWN = {"Custom>CustomScaleLayer"}  # tf_keras's InceptionResNetV2
# TensorFlow functions that a TFOpLambda layer may call: pure arithmetic on tensors.
_TF_PACKAGES = ("math.", "nn.", "linalg.", "signal.", "image.resize", "__operators__.")
_TF_NAMES = """
    abs add add_n argmax argmin boolean_mask broadcast_to cast clip_by_value concat constant
    convert_to_tensor cos cumsum divide einsum equal exp expand_dims eye fill gather gather_nd
    greater greater_equal identity less less_equal logical_and logical_not logical_or matmul
    maximum meshgrid minimum multiply negative norm not_equal one_hot ones ones_like pad pow range
    rank reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod
    reduce_sum repeat reshape reverse roll round scalar_mul shape sigmoid sign sin size slice
    split sqrt square squeeze stack stop_gradient strided_slice subtract tanh tensordot tile
    transpose truediv unstack where zeros zeros_like image.per_image_standardization
    image.crop_to_bounding_box image.extract_patches image.flip_left_right image.rgb_to_grayscale
    quantization.fake_quant_with_min_max_vars
    acos acosh argsort asin asinh atan atan2 atanh batch_to_space ceil cosh ensure_shape floor
    linspace logical_xor reduce_std reduce_variance dtypes.saturate_cast scatter_nd searchsorted
    sequence_mask sinh sort space_to_batch tan tensor_scatter_nd_add tensor_scatter_nd_sub
    tensor_scatter_nd_update image.adjust_brightness image.adjust_contrast image.adjust_gamma
    image.adjust_hue image.adjust_saturation image.central_crop image.convert_image_dtype
    image.crop_and_resize image.flip_up_down image.grayscale_to_rgb image.hsv_to_rgb
    image.pad_to_bounding_box image.rgb_to_hsv image.rgb_to_yuv image.rot90 image.sobel_edges
    image.transpose image.yuv_to_rgb image.rgb_to_yiq image.yiq_to_rgb image.ssim image.psnr
    image.total_variation bitcast realdiv reverse_sequence
"""
_BACKEND_NAMES = """
    all any batch_dot batch_flatten clip concatenate dot elu flatten hard_sigmoid
    int_shape l2_normalize log max mean min ndim permute_dimensions prod relu repeat_elements
    resize_images softmax softplus softsign spatial_2d_padding std sum temporal_padding var
"""
_TF_FUNCTIONS = frozenset(_TF_NAMES.split())
_BACKEND_FUNCTIONS = _TF_FUNCTIONS | frozenset(_BACKEND_NAMES.split())


def check_config(file: ModelFile, known: set[str], activations: set[str]) -> None:
    """Check everything that a model's configuration names.

    Args:
        file: The model file.
        known: Names of all classes that the file's Keras can build.
        activations: Names of its activation functions.

    Raises:
        ModelFileError: Lambda, custom or unknown objects (all of them named), a subclassed model,
            files outside, or functions that are not plain arithmetic.
    """
    _check_top(file, known)
    custom: list[str] = []
    try:
        for entry in _entries(file.config):
            _check_entry(file, entry)
            name = _custom_name(entry, known, activations)
            if name is not None and name not in custom:
                custom.append(name)
    except RecursionError as error:
        raise _malformed(file) from error
    if custom:
        raise ModelFileError(
            f"The model uses code that is not part of Keras: {', '.join(custom[:8])}"
            f"{' …' if len(custom) > 8 else ''}.",
            expected="Layers, operations and functions that come with Keras.",
            fix="Replace them with Keras's own layers, copy the weights, and save the model again.",
        )


def _check_top(file: ModelFile, known: set[str]) -> None:
    name, config = file.config.get("class_name"), file.config.get("config")
    if not isinstance(name, str) or config is None:
        raise _malformed(file)
    layers = config.get("layers") if isinstance(config, dict) else config
    if name not in _MODELS or (name not in known and name != "Functional") or layers is None:
        raise ModelFileError(
            f"The model is an instance of the Python class {name!r},"
            " whose code is not in the file.",
            expected="A Sequential model, or a functional one: keras.Model(inputs, outputs).",
            fix="Rebuild it with the functional API, copy the weights, and save it again.",
        )
    if not isinstance(layers, list):
        raise _malformed(file)


def _entries(config: Any) -> Iterator[dict[str, Any]]:
    """Every object with keys, however deep; how the model was compiled is never read."""
    if isinstance(config, dict):
        yield config
        for key, value in config.items():
            if key != "compile_config":
                yield from _entries(value)
    elif isinstance(config, list):
        for value in config:
            yield from _entries(value)


def _check_entry(file: ModelFile, entry: dict[str, Any]) -> None:
    name, config = entry.get("class_name"), entry.get("config")
    if isinstance(entry.get("vocabulary"), str) and entry["vocabulary"]:
        raise _foreign(f"A layer reads its vocabulary from the file {entry['vocabulary']!r}.")
    if name is None:
        return
    if not isinstance(name, str):
        raise _malformed(file)
    if _QUANTIZED.fullmatch(name):
        mode = config.get("mode") if isinstance(config, dict) else None
        mode = mode or name.removesuffix("DTypePolicy").lower()
        raise ModelFileError(
            f"The model's weights are quantized ({mode}).",
            expected="Weights that are floating-point numbers: only these can be trained again.",
            fix="Use the model as it was before model.quantize(…), and quantize the pruned model.",
        )
    if name.split(">")[-1] in ("Lambda", "__lambda__"):
        layer = config.get("name", "") if isinstance(config, dict) else ""
        raise ModelFileError(
            f"The model has a Lambda layer {layer!r}, which contains code of its author."
            if layer
            else "The model has a Lambda, which contains code of its author.",
            expected="Layers that come with Keras; code in a model file is never run.",
            fix="Replace it with Keras's own layers or operations, and save the model again.",
        )
    if name in _FOREIGN:
        raise _foreign(
            f"The layer {name} {_FOREIGN[name]}, which is not supported.",
            _BEHIND if "strings" in _FOREIGN[name] else _REBUILD,
        )
    if name == "TFOpLambda":
        function = str(config.get("function", "")) if isinstance(config, dict) else ""
        if not _is_arithmetic(function):
            raise _foreign(f"The model calls the TensorFlow function {function!r}.")


def _is_arithmetic(function: str) -> bool:
    plain = function.removeprefix("compat.v1.")
    if plain.startswith("keras.backend."):
        return plain.removeprefix("keras.backend.") in _BACKEND_FUNCTIONS
    if plain.startswith("keras.activations."):
        return not plain.endswith(("deserialize", "serialize", ".get"))
    return plain in _TF_FUNCTIONS or plain.startswith(_TF_PACKAGES)


def _custom_name(entry: dict[str, Any], known: set[str], activations: set[str]) -> str | None:
    """Name of the object when Keras does not know it, else None."""
    name, module = entry.get("class_name"), entry.get("module")
    if name is None or name in _VALUES or "config" not in entry:
        return None
    if name == "function":
        function = str(entry["config"])
        allowed = module is None or _FUNCTION_MODULE.fullmatch(str(module))
        return None if allowed and function in activations else function
    registered = str(entry.get("registered_name") or name)
    if registered != name or ">" in name:
        bare = registered.split(">")[-1]
        return (
            None if registered in _OWN and (module is None or _MODULE.fullmatch(module)) else bare
        )
    if module is None:
        return None if name in known else str(name)
    own = _MODULE.fullmatch(str(module)) and re.fullmatch(r"_?[A-Z]\w*", name)
    in_package = own and (name in known or ".src." in module or ".engine." in module)
    return None if in_package else str(name)


def _malformed(file: ModelFile) -> ModelFileError:
    return ModelFileError(
        f"The description of the layers in {file.path.name} is damaged.",
        expected="The configuration that Keras writes beside the weights.",
        fix=SAVE_AGAIN,
    )


def _foreign(happened: str, fix: str = _REBUILD) -> ModelFileError:
    return ModelFileError(
        happened,
        expected="Layers and functions that only compute with the numbers they are given.",
        fix=fix,
    )

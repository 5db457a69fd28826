"""The model's passport: who wrote it, what it reads and answers, what it costs, what can go."""

from __future__ import annotations

import streamlit as st

from pages.components import figures, header, heading
from pages.components.figures import Figure
from pages.components.text import plain
from pruning import quantities
from pruning.analysis.profile import ModelProfile, TensorSpec
from pruning.intake.check import answers_of


def passport(profile: ModelProfile) -> None:
    """Draw the passport."""
    heading.part(plain(profile.name, 60))
    family = header.FAMILIES.get(profile.family, profile.family)
    st.caption(
        f"Written by {plain(profile.writer, 40)} as .{plain(profile.file_format)} · "
        f"stays in {family} · {quantities.plural(len(profile.layers), 'layer')}"
    )
    st.markdown(f"{_inputs(profile.inputs)} → {_outputs(profile)}")
    figures.strip(_costs(profile), key="passport", columns=2)
    st.markdown(_prunable(profile))
    for note in profile.notes:
        st.caption(f":material/info: {plain(note)}")


def _costs(profile: ModelProfile) -> list[Figure]:
    floor = "The smallest that removing channels can reach: one channel left in every group."
    return [
        Figure("Parameters", "params", profile.params, basis="exact", caption="in all layers"),
        Figure(
            "FLOPs",
            "flops",
            profile.flops,
            basis="exact",
            caption="for one sample",
            detail="2 × multiply-adds of convolutions, dense, recurrent and attention layers.",
        ),
        Figure("File", "bytes", profile.bytes, basis="exact", caption="as uploaded"),
        Figure(
            "Reachable floor",
            "params",
            profile.floor_params,
            basis="exact",
            detail=floor,
            caption=f"parameters, {quantities.percent(_share(profile))} of now",
        ),
    ]


def _share(profile: ModelProfile) -> float:
    return profile.floor_params / max(profile.params, 1)


def _prunable(profile: ModelProfile) -> str:
    """Say what can be pruned at all."""
    groups = profile.prunable_groups
    maskable = sum(layer.maskable for layer in profile.layers)
    others = f"or single weights in {quantities.plural(maskable, 'layer')}"
    if profile.removable_blocks:
        others = f"{quantities.plural(len(profile.removable_blocks), 'whole block')}, {others}"
    if not groups:
        can = others.removeprefix("or ")
        return f"**Can be pruned:** {can}. No channels can be removed: see *Layers* for why."
    frozen = len(profile.groups) - len(groups)
    channels = sum(group.channels for group in groups)
    words = (
        f"**Can be pruned:** {quantities.plural(channels, 'channel')} in "
        f"{quantities.plural(len(groups), 'group')}, {others}."
    )
    return f"{words} Frozen: {quantities.plural(frozen, 'group')}." if frozen else words


def _inputs(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(
        f"**{plain(spec.name, 30)}** {quantities.shape(spec.shape)} {plain(spec.dtype)}"
        for spec in specs
    )


def _outputs(profile: ModelProfile) -> str:
    """A single output by its shape, for its name says little; of several the names matter."""
    answers = answers_of(profile)
    parts = []
    for answer in answers:
        shape = quantities.shape(answer.shape)
        what = f"**{plain(answer.name, 30)}** {shape}" if len(answers) > 1 else f"**{shape}**"
        parts.append(f"{what} by {plain(answer.activation)}" if answer.activation else what)
    return ", ".join(parts)

"""What keeps the selected node of the graph in view, which neither Graphviz nor Streamlit does."""

from __future__ import annotations

import streamlit as st

# The drawing comes a moment after the page. It is waited for by the node's id, which no text of a
# file can change; once it is there, its box is scrolled as far as it takes, and no more.
_SCRIPT = """<script>
(() => {
  const until = Date.now() + 10000;
  const look = () => {
    const node = document.getElementById("NODE");
    if (!node || !node.outerHTML.toLowerCase().includes("OUTLINE")) {
      if (Date.now() < until) setTimeout(look, 100);
      return;
    }
    let box = node.parentElement;
    while (box && !/auto|scroll/.test(getComputedStyle(box).overflowY)) box = box.parentElement;
    if (!box) return;
    const [inner, outer] = [node.getBoundingClientRect(), box.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      box.scrollTop += (inner.top + inner.bottom - outer.top - outer.bottom) / 2;
    if (inner.left < outer.left || inner.right > outer.right)
      box.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2;
  };
  look();
})();
</script>"""


def keep(node: str, outline: str) -> None:
    """Scroll the box around a node so that it is seen; again only when another one is chosen.

    Args:
        node: Id of its element, of letters, digits and ``_``.
        outline: Colour that marks it: before it is drawn anew, another one has it.
    """
    if not node.isidentifier():
        raise ValueError(f"{node!r} is no id")
    script = _SCRIPT.replace("NODE", node).replace("OUTLINE", outline.lower())
    st.html(script, unsafe_allow_javascript=True)

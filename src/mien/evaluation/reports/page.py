"""What every page of mien has in common: the look, pictures inside the file, and escaping of all that is not ours."""

import base64
import io
import re
from typing import Any

import matplotlib as mpl
import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours to tell curves apart, also when colour-blind (Okabe & Ito 2008); the page has one of its own for each."""
SOFT = "#6a6760"
"""The colour of what stands back: axes, ticks, grid."""
MATED, NON_MATED = "#2f5d8a", "#a8412f"
"""The colours of comparisons of one person and of two people."""
_INKS = {"#000000": "currentColor", SOFT: "var(--soft)", MATED: "var(--accent)", NON_MATED: "var(--no)"} | {
    colour: f"var(--series-{at})" for at, colour in enumerate(SERIES, start=1)
}


def render_page(template: str, package: str = "", **values: Any) -> str:
    """Render a template; every value is escaped unless it is `Markup`.

    Args:
        template: The file's name.
        package: Where its folder ``templates`` lies, if not here; it may build on those that lie here.
        **values: What the template is given.
    """
    packages = [package] * bool(package) + ["mien.evaluation.reports"]
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, "templates") for name in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["picture"] = picture
    return environment.get_template(template).render(**values)


def picture(pixels: NDArray[np.uint8], side: int = 112) -> str:
    """A picture as a data URI, (H, W, 3) uint8 RGB, shrunk to fit into `side` × `side` pixels."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=86)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def last_part(path: str) -> str:
    """The file name of a path of any system; the whole of what has none."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path


def ink(colour: str) -> str:
    """The page's own colour, as CSS, for one of `SERIES`, `SOFT`, `MATED`, `NON_MATED` or black."""
    return _INKS[colour]


def plot(figure: Figure, alt: str = "") -> Markup:
    """A figure as inline SVG in the page's own font and colours, so that it reads in light and dark.

    Args:
        figure: Black, `SOFT`, `SERIES`, `MATED` and `NON_MATED` become the page's colours; others stay.
        alt: What it shows, for those who can't see it.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mien"}):  # words stay words; the same page each time
        tight = None if figure.get_layout_engine() else "tight"
        figure.savefig(buffer, format="svg", transparent=True, bbox_inches=tight, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    for ink, place in _INKS.items():
        svg = svg.replace(ink, place)
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"' if alt else "<svg", 1))

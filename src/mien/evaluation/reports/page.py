"""What every page of mien has in common: the look, pictures inside the file, and escaping of all that is not ours."""

import base64
import io
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image


def render_page(template: str, **values: Any) -> str:
    """Render a template of this folder; every value is escaped unless it is `Markup`."""
    environment = Environment(
        loader=PackageLoader("mien.evaluation.reports", "templates"),
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


def plot(figure: Figure) -> Markup:
    """A figure as inline SVG that takes the page's text colour, so that it reads in light and dark."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace("#000000", "currentColor")
    return Markup(svg)

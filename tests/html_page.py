from html.parser import HTMLParser


class Page(HTMLParser):
    """What a browser sees: headings, pictures, captions, tables, scripts, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.rows: list[list[str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text.setdefault(tag, []).append("")
        if tag == "tr":
            self.rows.append([])
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in {"th", "td"}:
            self.rows[-1].append(" ".join(self.text[tag][-1].split()))

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.text[tag][-1] += data

    def row(self, label: str) -> list[str]:
        """The cells of the only row of a table that begins with `label`."""
        (row,) = (row for row in self.rows if row[0] == label)
        return row[1:]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

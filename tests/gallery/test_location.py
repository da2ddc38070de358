from pathlib import Path

import platformdirs
import pytest

from mien.errors import ConfigError, GalleryError
from mien.gallery import locate


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///g.db", "g.db"),
        ("sqlite:////tmp/g.db", "/tmp/g.db"),
        ("sqlite:///a b/ö?x=1#%20.db", "a b/ö?x=1#%20.db"),
        ("g.db", "g.db"),
        (Path("a/g"), "a/g"),
    ],
)
def test_urls_and_paths(url: str | Path, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(url) == tmp_path / path


def test_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate("~/g.db") == locate("sqlite:///~/g.db") == tmp_path / "g.db"


def test_default_is_the_variable_and_then_the_users_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("MIEN_GALLERY", str(tmp_path / "here.db"))
    assert locate() == tmp_path / "here.db"
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("MIEN_GALLERY", "")
    assert locate() == platformdirs.user_data_path("mien", appauthor=False) / "gallery.db"
    assert locate().parent.is_dir()


def test_a_user_without_a_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "file" / "mien")
    monkeypatch.delenv("MIEN_GALLERY", raising=False)
    with pytest.raises(GalleryError, match="MIEN_GALLERY") as caught:
        locate()
    assert caught.value.code == "gallery.cannot-open"
    assert locate(create=False).name == "gallery.db"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://host/db",
        "https://x/y",
        "sqlite://",
        "sqlite:///",
        "",
        " ",
        ":memory:",
        "sqlite:///:memory:",
    ],
)
def test_what_is_no_place_for_a_gallery(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        locate(url)
    assert caught.value.code == "config.gallery-url"
    assert "gallery.db" in caught.value.hint


@pytest.mark.parametrize("url", ["~nosuch/x.db", "sqlite:///~nosuch/x.db"])
def test_the_home_of_nobody(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        locate(url)
    assert caught.value.code == "config.gallery-url"
    assert "./~nosuch/x.db" in caught.value.hint

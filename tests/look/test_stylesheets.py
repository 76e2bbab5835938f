"""Many stylesheets for people, one for the browser."""

from pathlib import Path

import pytest

from revampd.kit import stylesheets


@pytest.fixture
def storage(tmp_path: Path) -> stylesheets.JoinedStylesheets:
    (tmp_path / "css").mkdir()
    for name in stylesheets.SHEETS:
        (tmp_path / f"css/{name}.css").write_text(f"/* {name} */\n")
    return stylesheets.JoinedStylesheets(location=tmp_path, base_url="/static/")


class TestJoin:
    def test_keeps_the_order_of_the_layers(
        self, storage: stylesheets.JoinedStylesheets, tmp_path: Path
    ) -> None:
        storage.join()

        joined = (tmp_path / stylesheets.JOINED).read_text()
        assert joined.split() == [
            part for name in stylesheets.SHEETS for part in ("/*", name, "*/")
        ]

    def test_replaces_what_an_earlier_collection_left(
        self, storage: stylesheets.JoinedStylesheets, tmp_path: Path
    ) -> None:
        storage.join()
        storage.join()

        assert [path.name for path in (tmp_path / "css").glob("app*")] == ["app.css"]


class TestAddresses:
    def test_are_the_parts_where_nothing_is_collected(self) -> None:
        assert stylesheets.addresses()[0] == "/static/css/tokens.css"
        assert len(stylesheets.addresses()) == len(stylesheets.SHEETS)

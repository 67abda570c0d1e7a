"""The page: every word of it is text, every picture is inside, nothing is asked of the network."""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from morphospace.pictures import Picture
from morphospace.report import Exhibit, write_report

ODD = "<script>alert('x')</script> & \"Größe\" < 1"


@pytest.fixture
def page(tmp_path: Path) -> str:
    pictures = [Picture(np.full((4, 6, 3), level, np.uint8), {"seed": "7"}) for level in (40, 200)]
    film = io.BytesIO()
    Image.new("L", (5, 3), 90).save(film, "GIF")
    write_report(
        tmp_path / "report.html",
        title=f"Title {ODD}",
        lead=f"Lead {ODD}",
        facts=[(f"latents {ODD}", "2"), ("beta", f"1 {ODD}")],
        exhibits=[
            Exhibit(f"First {ODD}", "dark", pictures[0]),
            Exhibit("Second", f"light {ODD}", pictures[1]),
            Exhibit("Film", "moves", film.getvalue()),
        ],
        table=[["", f"space {ODD}"], ["PSNR", f"20 {ODD}"], ["KL", "-"]],
        commands=f"morpho atlas {ODD}",
        warnings=[f"collapse {ODD}", "over-fitting"],
        notes=[f"12 bits {ODD}"],
        footer=f"Morphospace {ODD}",
    )
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def texts(page: str, pattern: str) -> list[str]:
    return [unescape(found) for found in re.findall(pattern, page)]


def test_what_comes_from_outside_is_text_wherever_it_stands(page: str) -> None:
    assert "<script" not in page
    assert texts(page, "<title>(.*?)</title>") == texts(page, "<h1>(.*?)</h1>") == [f"Title {ODD}"]
    assert texts(page, '<p class="lead">(.*?)</p>') == [f"Lead {ODD}"]
    assert texts(page, "<dt>(.*?)</dt>") == [f"latents {ODD}", "beta"]
    assert texts(page, "<dd>(.*?)</dd>") == ["2", f"1 {ODD}"]
    assert texts(page, '<p class="warning">(.*?)</p>') == [f"collapse {ODD}", "over-fitting"]
    assert texts(page, "<li>(.*?)</li>") == [f"12 bits {ODD}"]
    assert texts(page, "<pre>(.*?)</pre>") == [f"morpho atlas {ODD}"]
    assert texts(page, "<footer>(.*?)</footer>") == [f"Morphospace {ODD}"]
    assert texts(page, 'alt="([^"]*)"') == [f"First {ODD}", "Second", "Film"]


def test_a_table_has_its_head_and_its_rows(page: str) -> None:
    assert texts(page, "<th>(.*?)</th>") == ["", f"space {ODD}"]
    assert texts(page, "<td>(.*?)</td>") == ["PSNR", f"20 {ODD}", "KL", "-"]


def test_each_exhibit_has_its_words_and_its_own_picture(page: str) -> None:
    sections = re.findall(r"<section><h2>(.*?)</h2><p>(.*?)</p><figure>.*?data:image/(\w+);base64,([^\"]*)", page)
    assert [unescape(title) for title, *_ in sections] == [f"First {ODD}", "Second", "Film"]
    assert [unescape(words) for _, words, *_ in sections] == ["dark", f"light {ODD}", "moves"]
    pictures = [Image.open(io.BytesIO(base64.b64decode(data))) for *_, data in sections]
    assert [kind for *_, kind, _ in sections] == ["png", "png", "gif"]
    assert [picture.size for picture in pictures] == [(6, 4), (6, 4), (5, 3)]
    assert [np.unique(np.asarray(picture.convert("L"))).tolist() for picture in pictures] == [[40], [200], [90]]
    assert pictures[0].info["seed"] == "7"


def test_it_asks_nothing_of_the_network(page: str) -> None:
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_what_there_is_none_of_leaves_no_trace(tmp_path: Path) -> None:
    write_report(tmp_path / "bare.html", title="t", lead="l", facts=[], exhibits=[])
    page = (tmp_path / "bare.html").read_text(encoding="utf-8")
    body = page[page.index("<body>") :]
    assert not re.search("<table|<section|<pre|<ul|warning", body)

"""The page as people see it: a real Chromium opens the file."""

from __future__ import annotations

import pytest

from abac.simulation.report.page import render
from tests.simulation.report import fixture

pytestmark = pytest.mark.browser

SMALL_TEXT = """() => {
  const small = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, owner = node.parentElement;
    if (!node.textContent.trim() || !owner.checkVisibility()) continue;
    let size = parseFloat(getComputedStyle(owner).fontSize);
    if (owner instanceof SVGElement) {
      const m = owner.getScreenCTM();
      size *= Math.sqrt(Math.abs(m.a * m.d - m.b * m.c));
    }
    if (size < 11) small.push(`${size}px: ${node.textContent.trim()}`);
  }
  return small;
}"""

OVERLAPS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('figure svg')) {
    const boxes = [...svg.querySelectorAll('text')].filter(t => t.textContent.trim())
      .map(t => [t.textContent, t.getBoundingClientRect()]);
    boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
      const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      const tall = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (wide > 1 && tall > 2) found.push(`${a} | ${b}: ${wide.toFixed(1)} x ${tall.toFixed(1)}`);
    }));
  }
  return found;
}"""

OUTSIDE = """() => [...document.querySelectorAll('figure svg')].flatMap(svg => {
  const room = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(t => t.textContent.trim()).filter(t => {
    const box = t.getBoundingClientRect();
    return box.left < room.left - 1 || box.right > room.right + 1
        || box.top < room.top - 1 || box.bottom > room.bottom + 1;
  }).map(t => t.textContent);
})"""

SPILLED = """() => [...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth + 1)
  .map(e => `${e.getAttribute('aria-label')}: ${e.scrollWidth} in ${e.clientWidth}`)"""


def fixture_reports():
    return {"known": fixture.known(), "bounded": fixture.bounded(), "estimated": fixture.bounded(point=True)}


@pytest.fixture(params=["known", "bounded", "estimated"])
def opened(request, browser, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(render(fixture_reports()[request.param]), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.goto(file.as_uri())
    yield page
    page.close()


def test_it_asks_nobody_for_anything_and_reports_no_error(opened):
    opened.mouse.wheel(0, 20_000)
    opened.wait_for_timeout(100)
    assert opened.said == []
    assert opened.asked == [opened.url]


def test_no_text_is_under_eleven_pixels(opened):
    opened.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.evaluate(SMALL_TEXT) == []


def test_no_label_of_a_chart_overlaps_another_or_is_cut_off(opened):
    assert opened.locator("figure svg").count() == 5
    assert opened.evaluate(OVERLAPS) == []
    assert opened.evaluate(OUTSIDE) == []


def test_nothing_scrolls_sideways_at_1280(opened):
    opened.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.evaluate("document.documentElement.scrollWidth") == 1280
    assert opened.evaluate(SPILLED) == []


def test_at_400_only_tables_and_charts_scroll_sideways(opened):
    opened.set_viewport_size({"width": 400, "height": 900})
    assert opened.evaluate("document.documentElement.scrollWidth") == 400
    assert opened.evaluate(SMALL_TEXT) == []


def test_the_sentence_and_the_options_are_the_first_screen(opened):
    assert opened.locator("h1").bounding_box()["y"] < 200
    last = opened.locator(".options tbody tr").last.bounding_box()
    assert last["y"] + last["height"] < 900
    rows = opened.locator(".options tbody th .posture").all_inner_texts()
    assert rows == ["strict", "step-up", "shutdown", "lenient"]


def test_text_of_charts_is_text(opened):
    assert "d1-foreign-nationals" in opened.locator("section:has(#blocked) figure svg").text_content()
    for svg in opened.locator("figure svg").all():
        assert svg.get_attribute("role") == "img"
        assert len(svg.get_attribute("aria-label")) > 40

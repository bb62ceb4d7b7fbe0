// Examines a report in a browser and writes what it found, as JSON, into the document.
(() => {
  const parse = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  // The colour behind a point of an element: the nearest opaque ground below it.
  const ground = (element, x, y) => {
    for (const below of document.elementsFromPoint(x, y)) {
      if (below === element) continue;
      const style = getComputedStyle(below);
      // Lines have a fill, too, which is never painted.
      const isShape = ["rect", "circle", "polygon"].includes(below.tagName);
      if (below instanceof SVGElement && !isShape) continue;
      const text = isShape ? style.fill : style.backgroundColor;
      if (!text.startsWith("rgb")) continue;
      const found = parse(text);
      if (found.alpha > 0.99) return found.rgb;
    }
    return null;
  };
  const faint = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getClientRects()[0];
    if (!box || !box.width) continue;
    const style = getComputedStyle(element);
    const color = parse(element instanceof SVGElement ? style.fill : style.color).rgb;
    const behind = ground(element, box.left + box.width / 2, box.top + box.height / 2);
    if (!behind) continue;
    texts += 1;
    const size = element instanceof SVGElement ? box.height : parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = contrast(color, behind);
    if (found < (isLarge ? 3 : 4.5)) faint.push(`${node.data.trim().slice(0, 40)}: ${found.toFixed(2)}`);
  }
  const silent = [...document.querySelectorAll("img, svg")]
    .filter((figure) => !(figure.getAttribute("alt") || figure.getAttribute("aria-label") || "").trim())
    .map((figure) => figure.outerHTML.slice(0, 60));
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const dead = [...document.querySelectorAll("a[href^='#']")]
    .map((link) => link.getAttribute("href").slice(1))
    .filter((id) => !document.getElementById(id));
  const broken = [...document.querySelectorAll("img")].filter((image) => image.complete && !image.naturalWidth).length;
  const result = {
    texts,
    faint,
    silent,
    dead,
    broken,
    repeated: ids.filter((id, place) => ids.indexOf(id) !== place),
    headings: [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1])),
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ground: getComputedStyle(document.body).backgroundColor,
  };
  const output = document.createElement("pre");
  output.id = "examined";
  output.textContent = JSON.stringify(result);
  document.body.append(output);
})();

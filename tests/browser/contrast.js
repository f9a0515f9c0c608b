() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    const [red, green, blue] = color.map((value) => linear(value / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba("Canvas");
  };
  const contrast = (element) => {
    const sides = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
    const [light, dark] = sides.sort((one, other) => other - one);
    return (light + 0.05) / (dark + 0.05);
  };

  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.data.trim();
    const seen = text && element.getBoundingClientRect().width > 3 && !element.closest("script, template");
    if (seen && contrast(element) < 4.5) {
      found.push(`${contrast(element).toFixed(2)} ${element.tagName} ${element.className} ${text.slice(0, 30)}`);
    }
  }
  return found;
}

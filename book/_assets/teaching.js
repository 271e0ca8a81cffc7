// Quizzes, figures with a slider, and lessons as slides. Nothing is loaded from elsewhere.
(() => {
  "use strict";

  function startQuiz(form) {
    const button = form.querySelector(".quiz-check");
    const result = form.querySelector(".quiz-result");
    const reasons = form.querySelectorAll(".quiz-said");
    for (const reason of reasons) reason.hidden = true;
    button.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = form.querySelector("input:checked");
      for (const reason of reasons) reason.hidden = true;
      form.classList.remove("right", "wrong");
      if (!chosen) {
        result.textContent = "Choose an option first.";
        return;
      }
      const right = chosen.dataset.right === "true";
      form.classList.add(right ? "right" : "wrong");
      const said = chosen.closest(".quiz-option").nextElementSibling.querySelector("p");
      result.replaceChildren();
      const verdict = document.createElement("strong");
      verdict.textContent = right ? "Right. " : "No. ";
      result.append(verdict, ...[...said.childNodes].map((node) => node.cloneNode(true)));
    });
    form.addEventListener("change", () => {
      result.replaceChildren();
      form.classList.remove("right", "wrong");
    });
  }

  function startExplorer(figure) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    const slider = figure.querySelector("input");
    const value = figure.querySelector(".explorer-value");
    const heads = [...figure.querySelectorAll(".explorer-readout dt")].map((d) => d.textContent);
    const cells = figure.querySelectorAll(".explorer-readout dd");
    const plot = figure.querySelector("svg[role=img]");
    const curves = [...plot.querySelectorAll(".curve")].slice(0, (data.paths[0] || []).length);
    const cursor = plot.querySelector(".cursor");
    const show = () => {
      const place = Number(slider.value);
      const texts = data.readouts[place];
      value.textContent = data.values[place];
      cells.forEach((cell, index) => { cell.textContent = texts[index]; });
      if (data.paths.length) {
        curves.forEach((curve, index) => curve.setAttribute("d", data.paths[place][index]));
      }
      if (cursor) {
        cursor.setAttribute("transform", `translate(${data.cursor[place] - start} 0)`);
      }
      const spoken = heads.map((head, index) => `${head} ${texts[index]}`).join("; ");
      slider.setAttribute("aria-valuetext", `${data.values[place]}. ${spoken}`);
    };
    const start = cursor ? data.cursor[Number(slider.value)] : 0;
    slider.addEventListener("input", show);
    if (cursor) {
      plot.addEventListener("pointermove", (event) => {
        const box = plot.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * plot.viewBox.baseVal.width;
        let nearest = 0;
        data.cursor.forEach((here, index) => {
          if (Math.abs(here - x) < Math.abs(data.cursor[nearest] - x)) nearest = index;
        });
        slider.value = nearest;
        show();
      });
    }
    slider.hidden = false;
    show();
  }

  const SMALLEST = 0.6;  // to which a slide shrinks; what is longer scrolls
  const ONE_A_SLIDE = "figure.drawn, table.results, .explorer, .admonition.tip, form.quiz";

  // A section makes one slide, and one more for each further picture, table, question, take-away.
  function slidesOf(section) {
    const slides = [[]];
    let filled = false;
    for (const part of section.children) {
      const fills = part.matches(ONE_A_SLIDE) || part.querySelector(ONE_A_SLIDE) !== null;
      if (fills && filled) slides.push([]);
      filled ||= fills;
      slides.at(-1).push(part);
    }
    return slides.map((parts) => ({ section, parts }));
  }

  function offerSlides() {
    const title = document.querySelector("article h1");
    const chapter = title.parentElement;
    const sections = [...document.querySelectorAll("article h2")].map((head) => head.parentElement);
    const slides = [{ section: chapter, parts: [...chapter.children] }];
    slides.push(...sections.flatMap(slidesOf));
    const button = document.createElement("button");
    button.type = "button";
    button.className = "slides-start";
    button.textContent = "Show as slides";
    title.after(button);
    const bar = document.createElement("nav");
    bar.className = "slides-bar";
    bar.setAttribute("aria-label", "Slides");
    bar.hidden = true;
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    const buttons = [["Previous", () => go(-1)], ["Next", () => go(1)], ["End", stop]].map(
      ([label, act]) => {
        const made = document.createElement("button");
        made.type = "button";
        made.textContent = label;
        made.addEventListener("click", act);
        return made;
      });
    bar.append(buttons[0], count, buttons[1], buttons[2]);
    document.querySelector("article").append(bar);
    let place = 0;
    function show() {
      const { section, parts } = slides[place];
      for (const other of sections) other.classList.toggle("slide", other === section);
      for (const part of section.children) {
        part.classList.toggle("off-slide", !part.matches("h2") && !parts.includes(part));
      }
      document.documentElement.classList.toggle("slides-first", place === 0);
      count.textContent = `${place + 1} of ${slides.length}`;
      window.scrollTo(0, 0);
      fit();
    }
    function fit() {
      chapter.style.zoom = "";
      if (bar.hidden) return;
      const excess = document.documentElement.scrollHeight - window.innerHeight;
      const height = chapter.offsetHeight;
      if (excess > 0) chapter.style.zoom = Math.max((height - excess) / height, SMALLEST);
    }
    function go(step) {
      place = Math.min(Math.max(place + step, 0), slides.length - 1);
      show();
    }
    function stop() {
      document.documentElement.classList.remove("slides", "slides-first");
      for (const part of document.querySelectorAll(".off-slide")) part.classList.remove("off-slide");
      bar.hidden = true;
      fit();
      slides[place].section.scrollIntoView();
      button.focus({ preventScroll: true });
    }
    window.addEventListener("resize", fit);
    button.addEventListener("click", () => {
      place = 0;
      document.documentElement.classList.add("slides");
      bar.hidden = false;
      show();
      buttons[1].focus();
    });
    document.addEventListener("keydown", (event) => {
      const busy = event.target.closest("input, textarea, [contenteditable]");
      if (bar.hidden || busy || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") stop();
      else if (event.key === "ArrowRight" || event.key === "PageDown") go(1);
      else if (event.key === "ArrowLeft" || event.key === "PageUp") go(-1);
      else return;
      event.preventDefault();
      event.stopPropagation();
    }, true);
  }

  document.querySelectorAll("form.quiz").forEach(startQuiz);
  document.querySelectorAll(".explorer").forEach(startExplorer);
  if (document.querySelector(".admonition.lesson")) offerSlides();
})();

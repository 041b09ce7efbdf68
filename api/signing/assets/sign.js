"use strict";

// Drawing is an addition: without this file a typed name signs as well.
(() => {
  const form = document.getElementById("sign");
  const place = document.getElementById("drawing");
  const canvas = place.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const sent = form.elements.namedItem("drawing");
  let drawing = false;
  let drawn = false;

  // The picture is printed on white paper, whatever colours the page has.
  const clear = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    drawn = false;
  };

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
    ];
  };

  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    pen.lineWidth = 3;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.strokeStyle = "#000";
    pen.beginPath();
    pen.moveTo(...at(event));
    drawing = true;
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!drawing) {
      return;
    }
    pen.lineTo(...at(event));
    pen.stroke();
    drawn = true;
  });

  const stop = () => {
    drawing = false;
  };
  canvas.addEventListener("pointerup", stop);
  canvas.addEventListener("pointercancel", stop);
  document.getElementById("clear").addEventListener("click", clear);

  let going = false;
  form.addEventListener("submit", (event) => {
    if (going) {
      event.preventDefault();
      return;
    }
    going = true;
    sent.value = drawn ? canvas.toDataURL("image/png") : "";
  });
  window.addEventListener("pageshow", () => {
    going = false;
  });

  clear();
  place.hidden = false;
  const summary = document.querySelector(".summary");
  if (summary !== null) {
    summary.focus();
  }
})();

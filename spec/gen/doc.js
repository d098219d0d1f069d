(function () {
  "use strict";
  var find = document.getElementById("find"), group = document.getElementById("group");
  var count = document.getElementById("count");
  var items = Array.prototype.slice.call(document.querySelectorAll("[data-q]"));
  var sections = Array.prototype.slice.call(document.querySelectorAll("section"));

  function inGroup(item, want) {
    if (!want) return true;
    var own = item.getAttribute("data-g");
    if (own === null) return false;
    if (want[0] === "=") return own === want.slice(1);
    return (" " + item.getAttribute("data-h") + " ").indexOf(" " + want.slice(1) + " ") >= 0;
  }

  function show() {
    var words = find.value.toLowerCase().split(/\s+/).filter(Boolean), want = group.value;
    var rows = 0, others = 0;
    items.forEach(function (item) {
      var text = item.getAttribute("data-q");
      var yes = inGroup(item, want) && words.every(function (w) { return text.indexOf(w) >= 0; });
      item.hidden = !yes;
      if (yes && item.hasAttribute("data-g")) rows++;
      else if (yes) others++;
    });
    sections.forEach(function (s) {
      s.hidden = (words.length > 0 || want !== "") && !s.querySelector("[data-q]:not([hidden])");
    });
    count.textContent = rows + (rows === 1 ? " row" : " rows") +
      (words.length && others ? ", " + others + " other" + (others === 1 ? "" : "s") : "");
  }

  function openTarget() {
    var at = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!at) return;
    if (at.closest("[hidden]")) {
      find.value = "";
      group.value = "";
      show();
    }
    if (at.tagName === "DETAILS") at.open = true;
    at.scrollIntoView();
  }

  find.addEventListener("input", show);
  group.addEventListener("change", show);
  window.addEventListener("hashchange", openTarget);
  document.addEventListener("keydown", function (e) {
    if (e.key === "/" && document.activeElement !== find) {
      e.preventDefault();
      find.focus();
    } else if (e.key === "Escape" && document.activeElement === find) {
      find.value = "";
      show();
    }
  });
  document.querySelector(".find").hidden = false;
  show();
  openTarget();
})();

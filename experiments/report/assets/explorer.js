/* The explorer of Theorem 1: which models agree with what was observed, which q satisfy the Bellman equation on it, and
   what each leaves open. The page holds the models of each class with their optimal q, and which options each q is
   consistent with. An observation is [state, action, option]; where nothing is left to chance an option is a successor. */
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MOST_LISTED = 8;
  const root = document.getElementById("explorer");
  const classes = JSON.parse(document.getElementById("x-data").textContent);
  const at = (name) => document.getElementById(`x-${name}`);
  let problem, observed, chosen;

  const pairOf = (s, a) => s * problem.actions.length + a;
  const optionOf = (model, pair) => parseInt(problem.models[model][pair], 36);
  const isSeen = (s, a, o) => observed.some((d) => d[0] === s && d[1] === a && d[2] === o);
  const pairNamed = (s, a) => `(${problem.states[s]}, ${problem.actions[a]})`;
  const named = ([s, a, o]) => `${pairNamed(s, a)} → ${problem.options[pairOf(s, a)][o]}`;

  /* H_M(D) and H_B(D) as sorted lists of q, and the models that agree with D. */
  function versionSpaces() {
    const agrees = (model) =>
      observed.every(([s, a, o]) => optionOf(model, pairOf(s, a)) === o);
    const models = problem.models.map((_, model) => model).filter(agrees);
    const HM = [...new Set(models.map((model) => problem.q[model]))].sort((x, y) => x - y);
    const consistent = (q) =>
      observed.every(([s, a, o]) => problem.consistent[q][pairOf(s, a)] & (1 << o));
    const HB = problem.first.map((_, q) => q).filter(consistent);
    return { models, HM, HB };
  }

  function valuesLeft(left, pair) {
    const found = [...new Set(left.map((q) => problem.action_values[q][pair]))];
    return found.sort((x, y) => x - y).map((place) => problem.values[place]);
  }

  function listed(values) {
    if (values.length === 0) return "nothing";
    if (values.length <= MOST_LISTED) return values.join(", ");
    return `${values.length} values, ${values[0]} to ${values[values.length - 1]}`;
  }

  /* An action is settled in a state if it is optimal there under every q that is left. */
  function greedyLeft(left, state) {
    if (left.length === 0) return "nothing is left";
    const masks = left.map((q) => problem.greedy[q][state]);
    const names = (mask) => problem.actions.filter((_, a) => mask & (1 << a)).join(" or ");
    const always = masks.reduce((x, y) => x & y);
    if (always) return `settled: ${names(always)}`;
    return `open: ${names(masks.reduce((x, y) => x | y))}`;
  }

  function element(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function cell(row, text, kind) {
    const made = row.insertCell();
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function toggle(s, a, o) {
    if (isSeen(s, a, o)) {
      observed = observed.filter((d) => !(d[0] === s && d[1] === a && d[2] === o));
    } else {
      observed.push([s, a, o]);
    }
    update();
  }

  /* A click on an arrow observes the first option that may lead there, or else forgets what was observed of them. */
  function nextOption(edge) {
    const seen = edge.options.find((o) => isSeen(edge.s, edge.a, o));
    return seen === undefined ? edge.options[0] : seen;
  }

  /* The table of buttons is made once for a class, so that the focus stays where it is. */
  function build() {
    const body = at("pairs");
    body.replaceChildren();
    problem.states.slice(0, -1).forEach((state, s) => problem.actions.forEach((action, a) => {
      const row = body.insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = state;
      row.append(head);
      cell(row, action);
      const buttons = row.insertCell();
      buttons.className = "buttons";
      problem.options[pairOf(s, a)].forEach((option, o) => {
        if (option === null) return;
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = option;
        button.dataset.transition = `${s},${a},${o}`;
        button.setAttribute("aria-label", `observe ${named([s, a, o])}`);
        button.addEventListener("click", () => toggle(s, a, o));
        buttons.append(button);
      });
      cell(row, "", "model").dataset.left = "HM";
      cell(row, "", "bellman").dataset.left = "HB";
    }));
    const greedy = at("greedy");
    greedy.replaceChildren();
    problem.states.slice(0, -1).forEach((state) => {
      const row = greedy.insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = state;
      row.append(head);
      cell(row, "", "model");
      cell(row, "", "bellman");
    });
    at("example").hidden = problem.example.length === 0;
    at("about").textContent =
      `${problem.states.length - 1} states and the end (t), ${problem.actions.length} actions, ` +
      `${problem.models.length} models with ${problem.first.length} different optimal q, γ = ${problem.gamma}.`;
    drawing();
  }

  function drawing() {
    const svg = at("drawing");
    svg.replaceChildren();
    const defs = element("defs", {});
    for (const kind of ["open", "seen", "shown", "ruled-out"]) {
      const marker = element("marker", {
        id: `x-head-${kind}`, viewBox: "0 0 10 10", refX: 9, refY: 5, orient: "auto",
        markerUnits: "userSpaceOnUse", markerWidth: 0.085, markerHeight: 0.085,
      });
      marker.append(element("path", { d: "M0 0L10 5L0 10z", class: `head ${kind}` }));
      defs.append(marker);
    }
    svg.append(defs);
    for (const edge of problem.edges) {
      const group = element("g", { class: "edge", "data-edge": `${edge.s},${edge.a},${edge.t}` });
      group.append(element("title", {}, edge.options.map((o) => named([edge.s, edge.a, o])).join("; ")));
      group.append(element("path", { d: edge.path, class: "line" }));
      group.append(element("path", { d: edge.path, class: "hit" }));
      group.append(element("text", { x: edge.label[0], y: edge.label[1], class: "label" }, problem.actions[edge.a]));
      group.addEventListener("click", () => toggle(edge.s, edge.a, nextOption(edge)));
      svg.append(group);
    }
    problem.nodes.forEach(([x, y], node) => {
      const last = node === problem.nodes.length - 1;
      svg.append(element("circle", { cx: x, cy: y, r: problem.radius, class: last ? "node end" : "node" }));
      svg.append(element("text", { x, y, class: "name" }, problem.states[node]));
    });
    const box = svg.getBBox();
    const margin = 0.12;
    svg.setAttribute("viewBox",
      [box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin].join(" "));
  }

  function update() {
    const { models, HM, HB } = versionSpaces();
    const inHM = new Set(HM);
    const ordered = [...HM, ...HB.filter((q) => !inHM.has(q))];
    chosen = Math.max(0, Math.min(chosen, ordered.length - 1));
    const q = ordered[chosen];
    const agreeing = new Set(models);
    let model;
    if (q !== undefined) {
      model = inHM.has(q) ? models.find((m) => problem.q[m] === q) : problem.first[q];
    }
    at("size").textContent = observed.length;
    at("HM").textContent = HM.length;
    at("HB").textContent = HB.length;
    at("models").textContent = `${models.length} of ${problem.models.length}`;
    at("bar-HM").style.width = `${100 * HM.length / problem.first.length}%`;
    at("bar-HB").style.width = `${100 * HB.length / problem.first.length}%`;
    at("verdict").textContent = verdict(models, HM, HB);
    [...at("pairs").rows].forEach((row, pair) => {
      row.cells[3].textContent = listed(valuesLeft(HM, pair));
      row.cells[4].textContent = listed(valuesLeft(HB, pair));
      for (const button of row.querySelectorAll("button")) {
        const [s, a, o] = button.dataset.transition.split(",").map(Number);
        button.setAttribute("aria-pressed", isSeen(s, a, o));
      }
    });
    [...at("greedy").rows].forEach((row, state) => {
      row.cells[1].textContent = greedyLeft(HM, state);
      row.cells[2].textContent = greedyLeft(HB, state);
    });
    const possible = new Set();
    for (const m of agreeing) {
      [...problem.models[m]].forEach((digit, pair) => possible.add(`${pair},${parseInt(digit, 36)}`));
    }
    for (const edge of at("drawing").querySelectorAll(".edge")) {
      const { s, a, options } = problem.edges.find((e) => `${e.s},${e.a},${e.t}` === edge.dataset.edge);
      const pair = pairOf(s, a);
      const shown = model !== undefined && options.includes(optionOf(model, pair));
      const seen = options.some((o) => isSeen(s, a, o));
      const open = options.some((o) => possible.has(`${pair},${o}`));
      const kind = seen ? "seen" : shown ? "shown" : open ? "open" : "ruled-out";
      edge.setAttribute("class", `edge ${kind}${shown ? " with-model" : ""}`);
      edge.querySelector(".line").setAttribute("marker-end", `url(#x-head-${kind})`);
      if (kind === "seen" || kind === "shown") edge.parentNode.insertBefore(edge, at("drawing").querySelector("circle"));
    }
    at("undo").disabled = at("clear").disabled = observed.length === 0;
    at("previous").disabled = chosen === 0;
    at("next").disabled = chosen >= ordered.length - 1;
    at("explained").textContent = explained(q, model, inHM, ordered.length);
  }

  function verdict(models, HM, HB) {
    if (observed.length === 0) return "Nothing is observed: both leave every optimal q open.";
    if (models.length === 0) return "No model of the class agrees with all that is observed.";
    if (HM.length === HB.length) return "Both leave the same: H_M(D) = H_B(D).";
    return `The models leave ${HB.length - HM.length} fewer: H_M(D) is a proper subset of H_B(D).`;
  }

  function explained(q, model, inHM, count) {
    if (q === undefined) return "No q is left.";
    const place = `q ${chosen + 1} of ${count} that are left by the Bellman equation`;
    if (inHM.has(q)) {
      return `${place}. The model that is drawn explains it: it agrees with all that is observed, and this is its optimal q.`;
    }
    const against = observed.filter(([s, a, o]) => optionOf(model, pairOf(s, a)) !== o);
    const instead = against.map(([s, a, o]) =>
      `${named([s, a, o])} was observed, and it leads to ${problem.options[pairOf(s, a)][optionOf(model, pairOf(s, a))]}`);
    return `${place}. No model that agrees with the data explains it. It is the optimal q of the one that is drawn, ` +
      `which contradicts them without changing a value: ${instead.join("; ")}.`;
  }

  function start(number) {
    problem = classes[number];
    observed = [];
    chosen = 0;
    build();
    update();
  }

  root.querySelector(".live").hidden = false;
  at("undo").addEventListener("click", () => { observed.pop(); update(); });
  at("clear").addEventListener("click", () => { observed = []; update(); });
  at("example").addEventListener("click", () => {
    observed = problem.example.map((d) => [...d]);
    update();
  });
  at("previous").addEventListener("click", () => { chosen -= 1; update(); });
  at("next").addEventListener("click", () => { chosen += 1; update(); });
  const select = at("class");
  if (select) select.addEventListener("change", () => start(Number(select.value)));
  start(0);
})();

/* device.js — a browser's own name (User-Agent) in people's words: "Firefox on Linux". */
const browsers = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"]];
const systems = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];
const nameIn = (table, text) => table.find(([sign]) => sign.test(text))?.[1];

export function device(agent) {
  const browser = nameIn(browsers, agent), system = nameIn(systems, agent);
  if (browser)
    return system ? `${browser} on ${system}` : browser;
  return agent || "Unknown";
}

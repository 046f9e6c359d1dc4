// The report in a real browser: valid HTML, accessible and without sideways scrolling at every size and mode.
//
//     node check_report.cjs REPORT.html [FOLDER]
//
// Needs Java and Chromium ($CHROMIUM or /usr/bin/chromium). FOLDER gets screenshots and the printed PDF. Exits with 1 if
// anything is found.
const { execFileSync } = require("node:child_process");
const { mkdirSync, readFileSync } = require("node:fs");
const { join, resolve } = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");
const vnu = require("vnu-jar");

const VIEWS = [
  { name: "phone", width: 375, height: 812, colorScheme: "light", media: "screen" },
  { name: "phone-dark", width: 375, height: 812, colorScheme: "dark", media: "screen" },
  { name: "desktop", width: 1366, height: 900, colorScheme: "light", media: "screen" },
  { name: "desktop-dark", width: 1366, height: 900, colorScheme: "dark", media: "screen" },
  { name: "print", width: 794, height: 1123, colorScheme: "light", media: "print" }, // A4 at 96 dpi
];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"];
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

async function look(browser, view, url, folder) {
  const page = await browser.newPage({
    viewport: { width: view.width, height: view.height },
    colorScheme: view.colorScheme,
  });
  const found = [];
  page.on("console", (message) => found.push(`console: ${message.text()}`));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) found.push(`loads ${request.url()}`);
  });
  await page.emulateMedia({ media: view.media, colorScheme: view.colorScheme });
  await page.goto(url);
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => axe.run({ resultTypes: ["violations", "passes"] }));
  for (const { id, help, nodes } of violations) {
    found.push(`axe ${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
  }
  if (!passes.some(({ id }) => id === "color-contrast")) found.push("axe saw no text");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) found.push(`the page is ${wide} px wider than the window`);
  const broken = await page.evaluate(() => [...document.images].filter((image) => !image.naturalWidth).length);
  if (broken) found.push(`${broken} pictures are not shown`);
  if (folder) {
    const file = join(folder, view.name);
    if (view.media === "print") await page.pdf({ path: `${file}.pdf`, format: "A4", preferCSSPageSize: true });
    else await page.screenshot({ path: `${file}.png`, fullPage: true });
  }
  await page.close();
  return found.map((line) => `${view.name}: ${line}`);
}

async function main([report, folder]) {
  const path = resolve(report);
  if (folder) mkdirSync(folder, { recursive: true });
  const found = [];
  try {
    execFileSync("java", ["-jar", vnu, "--format", "gnu", path], { stdio: "pipe" });
  } catch (error) {
    found.push(...String(error.stderr || error).trim().split("\n"));
  }
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: FLAGS });
  try {
    for (const view of VIEWS) found.push(...(await look(browser, view, pathToFileURL(path).href, folder)));
  } finally {
    await browser.close();
  }
  console.log(found.join("\n") || `${report}: valid, accessible, nothing too wide (${VIEWS.length} views)`);
  process.exitCode = found.length ? 1 : 0;
}

main(process.argv.slice(2));

// Dates of the last days as people say them: "3 hours ago". The server writes them as dates, so that a page that is kept
// somewhere stays true; the exact moment, in the visitor's own time zone, is in the tooltip.

const units = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const language = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });

for (const time of document.querySelectorAll(".byline time")) {
  const moment = new Date(time.dateTime);
  time.title = exact.format(moment);
  const seconds = (Date.now() - moment) / 1000;
  if (seconds < 0 || seconds >= 7 * 86_400) continue;
  const [unit, length] = units.find(([, length]) => seconds >= length) ?? ["minute", 60];
  const count = Math.floor(seconds / length);
  time.textContent = count ? relative.format(-count, unit) : "just now";
}

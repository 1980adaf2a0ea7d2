"use strict";
// Renders the OpenAPI document with ReDoc. Search is off: it needs a worker from a blob: URL, which the CSP forbids.
Redoc.init(
  "/api/v1/openapi.json",
  { disableSearch: true, hideDownloadButton: true, nativeScrollbars: true },
  document.getElementById("docs"),
);

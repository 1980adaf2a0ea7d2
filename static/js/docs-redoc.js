"use strict";
// Draws ReDoc over the site's own description. Its search would need a worker made from a blob.
Redoc.init(
  "/api/v1/openapi.json",
  { disableSearch: true, hideDownloadButton: true, nativeScrollbars: true },
  document.getElementById("docs"),
);

//! The files of the page, which are compiled into the program.

#[cfg(test)]
mod tests;

/// A file of the page.
pub(crate) struct PageFile {
    pub(crate) content_type: &'static str,
    pub(crate) content: &'static [u8],
}

/// Returns the file for the path of a request.
pub(crate) fn file(path: &str) -> Option<PageFile> {
    let (content_type, content): (_, &'static [u8]) = match path {
        "/" | "/index.html" => ("text/html; charset=utf-8", include_bytes!("../page/index.html")),
        "/app.css" => ("text/css; charset=utf-8", include_bytes!("../page/app.css")),
        "/app.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/app.js")),
        "/screens.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/screens.js")),
        "/format.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/format.js")),
        "/chart.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/chart.js")),
        "/uPlot.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/vendor/uPlot.iife.min.js")),
        "/uPlot.css" => ("text/css; charset=utf-8", include_bytes!("../page/vendor/uPlot.min.css")),
        "/icon.svg" => ("image/svg+xml", include_bytes!("../page/icon.svg")),
        _ => return None,
    };
    Some(PageFile { content_type, content })
}

//! From a figure to a picture: places everything, then paints it.
//!
//! Placement knows nothing of file formats, and painting nothing of figures; between them
//! stands a [`Scene`] of rectangles, lines, dots and texts whose sizes are known from the
//! embedded font.

mod axis;
mod bars;
mod curves;
mod deadlines;
mod dots;
mod font;
mod forest;
mod frame;
mod paint;
mod scene;

use crate::Figure;
pub(crate) use font::woff2_rules;
pub(crate) use paint::escape;

use scene::Scene;

/// The shape of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// 880 pixels: a page, a slide.
    Wide,
    /// 358 pixels: a telephone.
    Narrow,
}

impl Layout {
    const fn width(self) -> f64 {
        match self {
            Self::Wide => 880.0,
            Self::Narrow => 358.0,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// Draws a figure as an SVG file of its own, title and font included.
pub fn render_svg(figure: &Figure, layout: Layout) -> String {
    let scene = frame::whole(figure, layout);
    paint::svg(&scene, figure, paint::Svg::Standalone, layout.name())
}

/// Draws a figure as a PNG of twice the pixels of [`Layout::Wide`], title included.
pub fn render_png(figure: &Figure) -> Vec<u8> {
    paint::png(&frame::whole(figure, Layout::Wide))
}

/// Draws the picture alone, to stand in a page under the page's own heading. `id` makes
/// the names within it unique on that page.
pub(crate) fn render_inline(figure: &Figure, layout: Layout, id: &str) -> String {
    let scene = frame::picture(figure, layout);
    paint::svg(
        &scene,
        figure,
        paint::Svg::Inline,
        &format!("{id}-{}", layout.name()),
    )
}

/// Where a figure's texts stand, as left, top, right and bottom edges with the text, and
/// the size of the drawing: what a test needs to find a cut or covered label.
#[doc(hidden)]
pub fn text_boxes(figure: &Figure, layout: Layout) -> (Vec<([f64; 4], String)>, [f64; 2]) {
    let scene: Scene = frame::whole(figure, layout);
    (scene.text_boxes(), [scene.width, scene.height])
}

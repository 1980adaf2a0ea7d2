//! The style sheet for the accent colour of the site: variants of it that can be read in the light and
//! in the dark theme (WCAG 2.2, 1.4.3).

/// Contrast of text.
const CONTRAST: f64 = 4.5;
/// The darkest background of the light theme and the lightest of the dark one: `--wash` in colors.css.
const LIGHT_WASH: Color = Color([0xf2, 0xf4, 0xf7]);
const DARK_WASH: Color = Color([0x20, 0x24, 0x2c]);
const BLACK: Color = Color([0, 0, 0]);
const WHITE: Color = Color([255, 255, 255]);

/// Red, green and blue in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Color([u8; 3]);

impl Color {
    /// `#` and six hexadecimal digits.
    fn parse(text: &str) -> Option<Color> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let part = |i: usize| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok();
        Some(Color([part(0)?, part(2)?, part(4)?]))
    }

    fn css(self) -> String {
        let Color([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// A mixture with this much of another colour, from 0 to 1.
    fn mix(self, other: Color, share: f64) -> Color {
        let mut mixed = [0; 3];
        for (i, part) in mixed.iter_mut().enumerate() {
            let value = f64::from(self.0[i]) * (1.0 - share) + f64::from(other.0[i]) * share;
            // Between two bytes.
            *part = value.round() as u8;
        }
        Color(mixed)
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let value = f64::from(part) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let Color([red, green, blue]) = self;
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(self, other: Color) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// This colour, mixed with as little of `towards` as makes it readable on `background`.
    fn readable_on(self, background: Color, towards: Color) -> Color {
        (0..=100)
            .map(|percent| self.mix(towards, f64::from(percent) / 100.0))
            .find(|color| color.contrast(background) >= CONTRAST)
            .unwrap_or(towards)
    }
}

/// The style sheet; empty for the default colour.
pub fn style_sheet(accent: &str) -> String {
    let Some(accent) = Color::parse(accent) else { return String::new() };
    let light = accent.readable_on(LIGHT_WASH, BLACK);
    let dark = accent.readable_on(DARK_WASH, WHITE);
    format!(
        ":root {{\n  --accent: light-dark({}, {});\n  --accent-deep: light-dark({}, {});\n}}\n",
        light.css(),
        dark.css(),
        light.mix(BLACK, 0.25).css(),
        dark.mix(WHITE, 0.3).css(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_colour_becomes_readable() {
        for accent in ["#ffff00", "#000000", "#ffffff", "#9c2b1b", "#808080", "#00ff7f"] {
            let color = Color::parse(accent).unwrap();
            let light = color.readable_on(LIGHT_WASH, BLACK);
            let dark = color.readable_on(DARK_WASH, WHITE);
            // `--on-accent` is lighter than the one wash, and darker than the other.
            assert!(light.contrast(LIGHT_WASH) >= CONTRAST, "{accent}: {light:?}");
            assert!(dark.contrast(DARK_WASH) >= CONTRAST, "{accent}: {dark:?}");
            assert!(style_sheet(accent).contains(&light.css()));
        }
        assert_eq!(
            Color::parse("#9c2b1b").unwrap().readable_on(LIGHT_WASH, BLACK).css(),
            "#9c2b1b"
        );
    }

    #[test]
    fn anything_else_is_no_colour() {
        for text in ["", "red", "#12345", "#1234567", "#12345g", "}body{", "#é1234"] {
            assert_eq!(style_sheet(text), "", "{text}");
        }
    }
}

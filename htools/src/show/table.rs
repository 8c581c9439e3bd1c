//! Tables with columns as wide as their longest cell.

/// Lays out `rows` below `header`, each line after `prefix` and a blank. Cells of a column that is `right` are moved to the
/// right; the others are filled up, the last one too.
#[must_use]
pub fn table(prefix: &str, header: &[String], rows: &[Vec<String>], right: &[bool]) -> String {
    let lines: Vec<&[String]> = std::iter::once(header).chain(rows.iter().map(Vec::as_slice)).collect();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut text = String::new();
    for line in lines {
        text.push_str(prefix);
        for ((cell, width), right) in line.iter().zip(&widths).zip(right) {
            let fill = " ".repeat(width.saturating_sub(cell.chars().count()));
            text.push(' ');
            text.push_str(if *right { &fill } else { cell });
            text.push_str(if *right { cell } else { &fill });
        }
        text.push('\n');
    }
    text
}

/// Shorthand for constant headers.
#[must_use]
pub fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

//! Columns of text.

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub title: String,
    /// Whether the texts end at the same place instead of beginning there.
    pub right: bool,
}

/// The lines of a table: aligned and one space apart, or with a separator and not aligned at all. The last column is not padded on
/// its right. Widths are counted in characters, as Ganeti does.
#[must_use]
pub fn table(columns: &[Column], rows: &[Vec<String>], header: bool, separator: Option<&str>) -> Vec<String> {
    let titles: Vec<String> = columns.iter().map(|c| c.title.clone()).collect();
    let lines = header.then_some(&titles).into_iter().chain(rows);
    if let Some(separator) = separator {
        return lines.map(|line| line.join(separator)).collect();
    }
    let mut widths: Vec<usize> = vec![0; columns.len()];
    for line in lines.clone() {
        for (width, text) in widths.iter_mut().zip(line) {
            *width = (*width).max(text.chars().count());
        }
    }
    if let (Some(column), Some(width)) = (columns.last(), widths.last_mut())
        && !column.right
    {
        *width = 0;
    }
    lines.map(|line| align(line, columns, &widths)).collect()
}

fn align(line: &[String], columns: &[Column], widths: &[usize]) -> String {
    let pad = |((text, column), &width): ((&String, &Column), &usize)| {
        if column.right { format!("{text:>width$}") } else { format!("{text:<width$}") }
    };
    line.iter().zip(columns).zip(widths).map(pad).collect::<Vec<_>>().join(" ")
}

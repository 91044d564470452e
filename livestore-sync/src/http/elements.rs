//! A JSON array whose elements are read as they come: a pull of everything may be long.

/// Takes bytes, and gives the elements that are complete.
#[derive(Debug, Default)]
pub(super) struct Elements {
    buffer: Vec<u8>,
    /// Where the first element starts that is not given yet.
    start: usize,
    /// How much of the buffer is looked through.
    seen: usize,
    /// Open arrays and objects, that of the elements included.
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Elements {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.seen -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// How many bytes are kept for elements that are not complete.
    pub(super) fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next object or array in the array. What is between them does not matter.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        while let Some(&byte) = self.buffer.get(self.seen) {
            self.seen += 1;
            match self.take(byte) {
                Place::Inside => {}
                Place::Outside => self.start = self.seen,
                Place::End => {
                    let start = std::mem::replace(&mut self.start, self.seen);
                    return self.buffer.get(start..self.seen);
                }
            }
        }
        None
    }

    fn take(&mut self, byte: u8) -> Place {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = self.in_string,
            b'"' => self.in_string = !self.in_string,
            b'[' | b'{' if !self.in_string => {
                self.depth += 1;
                if self.depth == 1 {
                    return Place::Outside;
                }
            }
            b']' | b'}' if !self.in_string => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 1 {
                    return Place::End;
                }
            }
            _ => {}
        }
        if self.depth <= 1 { Place::Outside } else { Place::Inside }
    }
}

enum Place {
    Outside,
    Inside,
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_as_soon_as_they_are_whole() {
        let text = r#" [ {"a":"]}\"{"} , [1,[2]],{}]"#;
        for size in 1..text.len() {
            let mut elements = Elements::default();
            let mut found = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                elements.push(piece);
                while let Some(element) = elements.next() {
                    found.push(String::from_utf8(element.to_vec()).unwrap());
                }
            }
            assert_eq!(found, [r#"{"a":"]}\"{"}"#, "[1,[2]]", "{}"], "{size}");
            assert_eq!(elements.pending(), 0);
        }
    }
}

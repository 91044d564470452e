use livestore_shape::{ItemKind, Lock, Shape, compare};

/// A lock, or the shapes of one item with a line of `---` between them: what is read is written as
/// a text that is read the same, and any two shapes can be compared.
pub fn lock(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(lock) = Lock::parse(text) {
        assert_eq!(Lock::parse(&lock.to_string()), Ok(lock));
    }
    let shapes: Vec<Shape> = text.split("---\n").filter_map(Shape::parse).collect();
    for shape in &shapes {
        assert_eq!(Shape::parse(&shape.to_string()).as_ref(), Some(shape));
        for kind in [ItemKind::Event, ItemKind::Type, ItemKind::Table, ItemKind::Schema] {
            assert_eq!(compare(kind, shape, shape), [], "{shape}");
            compare(kind, &shapes[0], shape);
        }
    }
}

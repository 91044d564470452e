use livestore::prelude::*;

#[table]
struct A {
    #[column(primary_key)]
    id: String,
}

#[table]
struct B {
    #[column(primary_key)]
    id: String,
}

#[table]
struct C {
    #[column(primary_key)]
    id: String,
}

#[table]
struct D {
    #[column(primary_key)]
    id: String,
}

#[table]
struct E {
    #[column(primary_key)]
    id: String,
}

fn main() {
    let _ = A::all()
        .join(A::ID.on(B::ID))
        .join(A::ID.on(C::ID))
        .join(A::ID.on(D::ID))
        .join(A::ID.on(E::ID));
}

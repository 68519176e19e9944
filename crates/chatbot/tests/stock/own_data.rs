//! The data that come with the project.

use std::path::Path;

use tria_chatbot::{catalogue::Catalogue, knowledge::Knowledge};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");

#[test]
fn the_own_catalogue_and_knowledge_are_sound() {
    let catalogue = Catalogue::read(&Path::new(DATA).join("catalogue")).unwrap();
    assert!(catalogue.products().len() >= 40 && catalogue.outlets().len() >= 12);
    let knowledge = Knowledge::read(&Path::new(DATA).join("knowledge")).unwrap();
    assert!(knowledge.passages().len() >= 40);
}

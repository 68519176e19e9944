//! What the tests share.

use std::{fs, path::Path};

use deadpool_postgres::Pool;
use tempfile::TempDir;
use tria_chatbot::catalogue::{Catalogue, OUTLETS_FILE, PRODUCTS_FILE, SeedOptions, Seeded, seed};

pub(crate) const PRODUCTS: [&str; 3] = [
    "BOX-33,Pizza box,Brown box for a whole pizza,boxes,33 cm,kraft,12.50,100,2,40",
    "CUP-2,Paper cup,For hot drinks,cups,200 ml,paper,4.20,50,1,9",
    "NAP-2,Napkins,,paper,,,3.33,500,1,7",
];

pub(crate) const OUTLETS: [&str; 2] = [
    "Napoli,Via Roma 1,80100,Napoli,IT,it",
    "Porto,Rua Nova 2,,Porto,PT,pt",
];

pub(crate) fn write(folder: &Path, products: &[&str], outlets: &[&str]) {
    let head =
        "sku,name,description,category,size,material,unit_price,pack_quantity,minimum_order,stock";
    let text = format!("{head}\n{}\n", products.join("\n"));
    fs::write(folder.join(PRODUCTS_FILE), text).unwrap();
    let head = "name,address_line,postal_code,city,country,language";
    let text = format!("{head}\n{}\n", outlets.join("\n"));
    fs::write(folder.join(OUTLETS_FILE), text).unwrap();
}

pub(crate) fn catalogue(products: &[&str], outlets: &[&str]) -> Catalogue {
    let folder = TempDir::new().unwrap();
    write(folder.path(), products, outlets);
    Catalogue::read(folder.path()).unwrap()
}

pub(crate) async fn seeded(pool: &Pool, products: &[&str], outlets: &[&str]) -> Seeded {
    let catalogue = catalogue(products, outlets);
    seed(pool, &catalogue, SeedOptions::default())
        .await
        .unwrap()
}

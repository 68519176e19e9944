use std::fs;

use tempfile::TempDir;

use super::*;

const PRODUCTS: &str =
    "sku,name,description,category,size,material,unit_price,pack_quantity,minimum_order,stock
BOX-33,Pizza box,\"Plain, brown\",boxes,33 cm,kraft,12.5,100,2,40
NAP-2,Napkins,,paper,,,3.33,500,1,0
";
const OUTLETS: &str = "name,address_line,postal_code,city,country,language
Napoli,Via Roma 1,80100,Napoli,IT,it
";

fn folder(products: &[u8], outlets: &[u8]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(PRODUCTS_FILE), products).unwrap();
    fs::write(folder.path().join(OUTLETS_FILE), outlets).unwrap();
    folder
}

/// The problems of these files, without their folder.
fn problems(products: &[u8], outlets: &[u8]) -> Vec<String> {
    let folder = folder(products, outlets);
    let errors = Catalogue::read(folder.path()).unwrap_err();
    let prefix = format!("{}/", folder.path().display());
    let told = errors.problems().iter().map(ToString::to_string);
    told.map(|problem| problem.replace(&prefix, "")).collect()
}

#[test]
fn good_files_are_read_as_they_are_meant() {
    let folder = folder(PRODUCTS.as_bytes(), OUTLETS.as_bytes());
    let catalogue = Catalogue::read(folder.path()).unwrap();
    let [boxes, napkins] = catalogue.products() else {
        panic!("{catalogue:?}");
    };
    assert_eq!(boxes.description, "Plain, brown");
    assert_eq!(boxes.unit_price.to_string(), "12.50");
    assert_eq!(
        (boxes.pack_quantity, boxes.minimum_order, boxes.stock),
        (100, 2, 40)
    );
    assert_eq!((&napkins.size, &napkins.material), (&None, &None));
    assert_eq!(catalogue.outlets()[0].country, "IT");
}

#[test]
fn a_spreadsheets_mark_line_ends_order_and_spaces_do_no_harm() {
    let outlets = "\u{feff}city,name,address_line,language,country,postal_code\r\n Napoli , Da Ciro,\"Via Roma, 1\",pt-BR,IT,\r\n";
    let folder = folder(PRODUCTS.as_bytes(), outlets.as_bytes());
    let catalogue = Catalogue::read(folder.path()).unwrap();
    let outlet = &catalogue.outlets()[0];
    assert_eq!((&*outlet.name, &*outlet.city), ("Da Ciro", "Napoli"));
    assert_eq!(
        (&*outlet.address_line, &*outlet.postal_code),
        ("Via Roma, 1", "")
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let products = PRODUCTS.to_owned()
        + "box-1,,x,boxes,,,\"12,50\",0,1.5,-1\nNAP-2,Again,,paper,,,1,1,1,1\nshort,row\n";
    let outlets = OUTLETS.to_owned() + "Napoli,x,,x,Italy,italian\n";
    let told = problems(products.as_bytes(), outlets.as_bytes());
    let expected = [
        "outlets.csv:3: name: \"Napoli\" stands in line 2 already; remove one of them, or name it otherwise",
        "outlets.csv:3: country: \"Italy\" is not a country; write its two capital letters of ISO 3166, as in IT",
        "outlets.csv:3: language: \"italian\" is not a language; write two small letters, and a region where it matters, as in it or pt-BR",
        "products.csv:4: sku: \"box-1\" is not a number of a product; write 1 to 40 of A-Z, 0-9 and -, beginning with a letter or digit, as in BOX-33",
        "products.csv:4: name: it is empty; write what belongs there",
        "products.csv:4: unit_price: \"12,50\" is not a price; write an amount above 0 with a point and at most two digits after it, as in 12.50",
        "products.csv:4: pack_quantity: \"0\" is not a whole number from 1 on; write digits only, as in 50",
        "products.csv:4: minimum_order: \"1.5\" is not a whole number from 1 on; write digits only, as in 50",
        "products.csv:4: stock: \"-1\" is not a whole number from 0 on; write digits only, as in 50",
        "products.csv:5: sku: \"NAP-2\" stands in line 3 already; remove one of them, or name it otherwise",
        "products.csv:6: it has 2 fields instead of 10; quote a field that holds a comma, and close each quote",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_head_that_is_not_ours_is_told_by_column() {
    let products = PRODUCTS.replacen("sku,name", "SKU,sku,sku", 1);
    let outlets = OUTLETS.replace(',', ";");
    let told = problems(products.as_bytes(), outlets.as_bytes());
    assert_eq!(told.len(), 4, "{told:#?}");
    assert!(told[0].starts_with("outlets.csv:1: its columns are not separated by commas; "));
    assert!(told[1].starts_with("products.csv:1: there is no column \"SKU\"; "));
    assert!(told[2].starts_with("products.csv:1: the column sku stands twice; "));
    assert!(told[3].starts_with("products.csv:1: the column name is missing; "));
}

#[test]
fn bytes_that_are_no_text_are_told_by_field() {
    let mut outlets = OUTLETS.as_bytes().to_vec();
    outlets.extend(b"M\xfcnchen,Weg 1,,Muenchen,DE,de\n");
    let told = problems(PRODUCTS.as_bytes(), &outlets);
    assert_eq!(
        told,
        ["outlets.csv:3: name: it is not UTF-8; save the file as UTF-8"]
    );
}

#[test]
fn a_quote_that_is_never_closed_is_told_where_it_begins() {
    let products = PRODUCTS.replace("brown\"", "brown");
    let told = problems(products.as_bytes(), OUTLETS.as_bytes());
    assert_eq!(
        told,
        [
            "products.csv:2: it has 3 fields instead of 10; quote a field that holds a comma, and close each quote"
        ]
    );
}

#[test]
fn an_empty_or_missing_file_closes_no_shop() {
    let head = OUTLETS.lines().next().unwrap();
    let told = problems(PRODUCTS.as_bytes(), head.as_bytes());
    assert!(
        told[0].starts_with("outlets.csv: it has no row beside its head; "),
        "{told:?}"
    );

    let nowhere = TempDir::new().unwrap();
    let errors = Catalogue::read(nowhere.path()).unwrap_err();
    assert_eq!(errors.problems().len(), 2);
}

#[test]
fn prices_have_two_digits_at_most_and_no_other_form() {
    for good in ["1", "0.01", "9999999999.99", "12.50"] {
        rules::price(good).unwrap();
    }
    for bad in [
        "",
        "0",
        "0.00",
        "1.005",
        "-1",
        "+1",
        "1e3",
        "1_000",
        "1,50",
        "€1",
        ".",
        "10000000000",
        "1.000000000000000000000000000000000001",
    ] {
        assert!(rules::price(bad).is_err(), "{bad}");
    }
    assert_eq!(rules::price("12.5"), rules::price("12.50"));
}

#[test]
fn texts_are_bounded_and_stay_on_a_line() {
    rules::name(&"é".repeat(200)).unwrap();
    assert!(rules::name(&"é".repeat(201)).is_err());
    assert!(rules::description("a\nb").is_err());
    assert!(rules::optional("a\0").is_err());
}

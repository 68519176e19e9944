//! The closed lists of words by which a message is read. All are lowercase without apostrophes.

use super::spelling::is_misspelt;

/// In which things are counted.
pub(super) fn is_unit(word: &str) -> bool {
    matches!(
        word,
        "pack"
            | "packs"
            | "packet"
            | "packets"
            | "package"
            | "packages"
            | "pk"
            | "pks"
            | "pkt"
            | "pkts"
            | "box"
            | "boxes"
            | "boxs"
            | "bx"
            | "bxs"
            | "case"
            | "cases"
            | "carton"
            | "cartons"
            | "ctn"
            | "ctns"
            | "crate"
            | "crates"
            | "bottle"
            | "bottles"
            | "jar"
            | "jars"
            | "bucket"
            | "buckets"
            | "bundle"
            | "bundles"
            | "roll"
            | "rolls"
            | "sleeve"
            | "sleeves"
            | "sheet"
            | "sheets"
            | "tub"
            | "tubs"
            | "pallet"
            | "pallets"
            | "unit"
            | "units"
            | "piece"
            | "pieces"
            | "pcs"
            | "bag"
            | "bags"
    )
}

/// A unit of letters that are almost right, as `paks`.
pub(super) fn is_almost_a_unit(word: &str) -> bool {
    ["pack", "packs", "packet", "packets", "carton", "cartons"]
        .iter()
        .any(|unit| is_misspelt(word, unit))
}

/// Units that name nothing that is sold, so that they are never a product themselves.
pub(crate) fn is_only_a_unit(word: &str) -> bool {
    is_unit(word)
        && !matches!(
            word,
            "box"
                | "boxes"
                | "boxs"
                | "roll"
                | "rolls"
                | "bag"
                | "bags"
                | "tub"
                | "tubs"
                | "sheet"
                | "sheets"
                | "sleeve"
                | "sleeves"
        )
}

/// Which of two words of one kind holds is a choice: a box is not both white and kraft.
pub(super) fn kind_of_attribute(word: &str) -> Option<u8> {
    match word {
        "kraft" | "white" | "brown" | "printed" | "plain" | "black" | "clear" | "branded"
        | "unprinted" | "coloured" | "red" | "green" | "blue" => Some(0),
        "small" | "medium" | "large" | "xl" | "extra" | "big" => Some(1),
        "nitrile" | "vinyl" | "latex" => Some(2),
        "wooden" | "plastic" | "cardboard" | "aluminium" | "bamboo" | "compostable" => Some(3),
        _ if word.starts_with(|first: char| first.is_ascii_digit()) => Some(4),
        _ => None,
    }
}

/// Words of what a supplier of packaging sells; they help where the form of a message does not
/// tell what is ordered, and nothing is refused for not being one.
pub(crate) fn is_product(word: &str) -> bool {
    const PRODUCTS: &str = "\
        apron bag base board bowl box boxs calzone cardboard clamshell cling clingfilm \
        container cup cutlery dip film foil fork glove hairnet insert knife knive label lid \
        liner napkin pan paper pizza plate platter pot pouch ramekin roll sack salad sauce \
        saver seal sheet skewer slice spoon sticker stirrer straw tape till towel tray tripod tub wipe wrap";
    let stem = singular(word);
    PRODUCTS.split(' ').any(|product| product == stem)
}

/// Whether a word by itself names what is sold. `pizza` and `slice` only tell which box.
pub(super) fn is_thing(word: &str) -> bool {
    is_product(word) && !matches!(singular(word), "pizza" | "slice" | "salad" | "sauce")
}

/// The word without the ending of a plural.
pub(crate) fn singular(word: &str) -> &str {
    for ending in ["ches", "shes", "xes", "sses"] {
        if word.ends_with(ending) {
            return &word[..word.len() - 2];
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem,
        _ => word,
    }
}

/// A number after it names something and counts nothing.
pub(super) fn labels_a_number(word: &str) -> bool {
    matches!(
        word,
        "ref"
            | "reference"
            | "po"
            | "acct"
            | "account"
            | "cust"
            | "customer"
            | "invoice"
            | "inv"
            | "table"
            | "week"
            | "page"
            | "number"
            | "ticket"
            | "tel"
            | "phone"
            | "mobile"
            | "room"
            | "flat"
            | "branch"
            | "store"
            | "outlet"
            | "no"
            | "nr"
            | "code"
            | "postcode"
            | "sku"
            | "delivery"
    )
}

/// A number after it is a time or a date.
pub(super) fn tells_a_time(word: &str) -> bool {
    matches!(
        word,
        "at" | "by" | "before" | "after" | "until" | "till" | "from" | "since" | "around"
    )
}

/// What a number before it counts is not sold.
pub(super) fn is_measure_of_time_or_money(word: &str) -> bool {
    matches!(
        word,
        "minute"
            | "minutes"
            | "min"
            | "mins"
            | "hour"
            | "hours"
            | "hr"
            | "hrs"
            | "day"
            | "days"
            | "week"
            | "weeks"
            | "wk"
            | "wks"
            | "month"
            | "months"
            | "year"
            | "years"
            | "am"
            | "pm"
            | "oclock"
            | "pound"
            | "pounds"
            | "quid"
            | "euro"
            | "euros"
            | "eur"
            | "gbp"
            | "dollar"
            | "dollars"
            | "pence"
            | "p"
            | "percent"
            | "times"
            | "people"
            | "guests"
            | "customers"
            | "staff"
            | "shops"
            | "st"
            | "nd"
            | "rd"
            | "th"
            | "working"
            | "business"
            | "covers"
            | "tables"
    )
}

pub(super) fn is_month(word: &str) -> bool {
    const MONTHS: [&str; 23] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "oct",
        "nov",
        "dec",
    ];
    MONTHS.contains(&word)
}

pub(super) fn is_street(word: &str) -> bool {
    matches!(
        word,
        "street"
            | "st"
            | "road"
            | "rd"
            | "lane"
            | "ln"
            | "avenue"
            | "ave"
            | "drive"
            | "terrace"
            | "crescent"
            | "square"
            | "via"
            | "piazza"
            | "parade"
            | "boulevard"
    )
}

/// A measure that tells one product from another and is no size of a box.
pub(super) fn is_measure(word: &str) -> bool {
    matches!(
        word,
        "oz" | "ml"
            | "cl"
            | "l"
            | "mm"
            | "g"
            | "kg"
            | "gsm"
            | "ply"
            | "litre"
            | "litres"
            | "m"
            | "metre"
            | "metres"
            | "micron"
    )
}

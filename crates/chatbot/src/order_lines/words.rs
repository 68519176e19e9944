//! The closed lists of words by which a message is read. All are lowercase without apostrophes.

/// In which things are counted.
pub(super) fn is_unit(word: &str) -> bool {
    matches!(
        word,
        "pack"
            | "packs"
            | "packet"
            | "packets"
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

/// Units that name nothing that is sold, so that they are never a product themselves.
pub(super) fn is_only_a_unit(word: &str) -> bool {
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
        liner napkin pan paper pizza plate platter pot pouch ramekin roll sack sauce saver \
        sheet skewer spoon sticker stirrer straw tape till towel tray tripod tub wipe wrap";
    let stem = singular(word);
    PRODUCTS.split(' ').any(|product| product == stem)
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

/// Between lines, as a comma is.
pub(super) fn separates(word: &str) -> bool {
    matches!(
        word,
        "and" | "n" | "an" | "plus" | "also" | "then" | "but" | "so" | "because" | "while"
    )
}

/// After the name of a product, such a word begins something else.
pub(super) fn ends_phrase(word: &str) -> bool {
    matches!(
        word,
        "for"
            | "to"
            | "by"
            | "on"
            | "before"
            | "after"
            | "at"
            | "that"
            | "which"
            | "when"
            | "if"
            | "until"
            | "from"
            | "as"
            | "is"
            | "are"
            | "was"
            | "were"
            | "go"
            | "went"
            | "will"
            | "would"
            | "this"
            | "next"
            | "last"
            | "today"
            | "tomorrow"
            | "tonight"
            | "each"
            | "asap"
            | "now"
            | "again"
            | "i"
            | "we"
            | "it"
            | "deliver"
            | "delivered"
            | "came"
            | "have"
            | "has"
            | "had"
            | "left"
            | "please"
            | "pls"
            | "plz"
            | "ta"
            | "thanks"
    )
}

/// Says nothing of what is ordered.
pub(super) fn is_filler(word: &str) -> bool {
    const FILLER: &str = "\
        a able about actually add afternoon all am another any anything anyway approximately \
        around ask asked away back be been boss bring can change cheers could couple cust \
        day dear definitely do does down drop either else err evening extra fancy fine \
        friday get give going good got grateful great guess guys he hello her hey hi him \
        hiya how id idea idk im in instead its ive just kind kindly let like list ll looking \
        lot love madam make matching mate may maybe me mean meant mentioned might mind \
        monday month more morning much my need needs number of off oh ok okay one ones only \
        oops order ordering our out over perhaps possible probably put qty quantity quick \
        rather really ref reply required run running said same saturday send shall she ship \
        should sir some somewhere soon sorry still stock stuff sunday sure take team thank \
        thats the their them there these they those though thursday thx time told too total \
        tuesday u um up ur urgently us usual usually very wait want wanted wants wed \
        wednesday week weekend weekly well weve what whatever whether who with wondering \
        worth x yeah yes you youd your";
    FILLER.split(' ').any(|filler| filler == word) || ends_phrase(word)
}

/// Takes back or puts right what was said before.
pub(super) fn corrects(word: &str) -> bool {
    matches!(
        word,
        "actually"
            | "sorry"
            | "mean"
            | "meant"
            | "rather"
            | "instead"
            | "change"
            | "wait"
            | "oops"
            | "correction"
            | "make"
            | "whoops"
            | "edit"
    )
}

/// What follows is not wanted.
pub(super) fn denies(word: &str) -> bool {
    matches!(
        word,
        "no" | "not"
            | "without"
            | "forget"
            | "cancel"
            | "skip"
            | "remove"
            | "dont"
            | "except"
            | "scratch"
            | "never"
            | "nor"
    )
}

/// What was, is no order.
pub(super) fn tells_of_the_past(word: &str) -> bool {
    matches!(
        word,
        "ordered"
            | "received"
            | "got"
            | "sent"
            | "had"
            | "used"
            | "bought"
            | "arrived"
            | "came"
            | "paid"
            | "already"
            | "still"
            | "sold"
            | "missing"
    )
}

/// Asks for what follows.
pub(super) fn wants(word: &str) -> bool {
    matches!(
        word,
        "need"
            | "needs"
            | "want"
            | "wants"
            | "send"
            | "order"
            | "get"
            | "like"
            | "add"
            | "some"
            | "more"
            | "take"
            | "bring"
            | "another"
            | "fancy"
            | "double"
            | "have"
    )
}

/// Points back to what was named before.
pub(super) fn points_back(word: &str) -> bool {
    matches!(
        word,
        "them" | "those" | "these" | "they" | "matching" | "ones" | "it"
    )
}

/// A quantity that is none.
pub(super) fn is_vague(word: &str) -> bool {
    matches!(
        word,
        "few"
            | "several"
            | "load"
            | "loads"
            | "lots"
            | "bunch"
            | "handful"
            | "double"
            | "triple"
            | "plenty"
            | "many"
    )
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

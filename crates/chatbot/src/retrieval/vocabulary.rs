//! The words of this trade and of everyday talk, as lists of words between spaces.

/// Words that hold a sentence together.
pub(super) const SILENT: &str = "\
    a about actually after again all also am an and any anything are arent as at be been before \
    being both but by can cant could couldnt did do does doesnt doing done dont each either else \
    ever for from further get gets getting give given go goes going got had has have havent \
    having he hello her here hers hi him his how i id if ill im in into is isnt it its ive just \
    kind let like many may me might mine more most much must my need needs not of off on once \
    one ones only onto or other our ours out over own per please really same shall she should \
    since so some somebody someone something somewhere still such sure tell than thank thanks \
    that thats the their them then there these they theyre thing things this those though \
    through to too under until up upon us very want wants was we well were weve what whats when \
    where whether which while who whom whose why will with within without wont would yes yet you \
    youd your youre yours x";

/// Words that mean the same to somebody who buys packaging, a line for each meaning; the first
/// stands for all.
pub(super) const SAME: &str = "
order purchase buy bought basket reorder
deliver delivery deliveries ship shipment dispatch postage bring brought arrive arrival send sent
invoice bill billing
pay payment paid payable settle
refund reimburse reimbursement
cost price charge fee expensive surcharge tariff rate pricing
discount reduction
free gratis complimentary
tax vat
person human employee colleague
telephone phone call
speak talk
account login registration register membership
outlet shop branch restaurant pizzeria location
depot warehouse
van truck lorry
collect fetch pickup
damage broken broke crushed torn faulty fault defective defect
missing lack absent
wrong incorrect mistake mistaken error
change modify alter amend
exchange swap replace replacement
minimum smallest least
limit maximum cap
large largest biggest big
pack packet case
logo brand artwork
print printed printing
napkin serviette
cup beaker mug
aluminium aluminum
foil tinfoil
film clingfilm wrap
thermal insulated
scooter moped motorbike
kraft brown
clear transparent
straw straws
sticker label
receipt till
card visa mastercard
cash banknote coin
cellar basement
recycle recycling recyclable recycled dispose bin
compost compostable biodegradable rot decompose
microwave zap
bake baking oven
freezer freeze frozen
allergen allergy allergic react
certificate certified certification inspector inspection declaration
damp moist dry wet
data gdpr privacy
complaint complain
sample tester
cancel cancellation
close closing quit
copy copies duplicate
height high tall
forest wood tree
night evening tonight
rectangular rectangle
sheet liner
wide width across diameter
spoon fork knife knives cutlery
slice slices
tripod saver
stock available availability
language english german french italian spanish dutch portuguese
weekday monday tuesday wednesday thursday friday
weekend saturday sunday
keep kept
leave left";

/// Phrases that mean something else than their words, with the words that they mean.
pub(super) const PHRASES: &str = "
money back > refund
money off > discount
send back > return
send them back > return
send it back > return
sent stuff back > return
sent it back > return
take them back > return
take it back > return
take back > return
takes back > return
go back > return
give you back > return
sold out > stock
run out > stock
out of stock > stock
call off > cancel
call the whole thing off > cancel order
pick the stuff up > collect
pick it up > collect
pick up the phone > telephone
pick up > collect
forever chemicals > pfas
see through > clear
card machine > card terminal
pay later > invoice
at night > night
on credit > invoice
size s > small
size m > medium
size l > large
next day > next day";

/// Words of everyday talk: a question that holds them and a passage that does not may still be of
/// the same thing.
pub(super) const COMMON: &str = "\
    able accept accident ago allow already always amount anybody anyone around arrange ask away \
    back bad become begin behind belong best better between bit boss bottom business busy care \
    carry case certain chance check choose come comes coming company correct count customer \
    daily day decide different difference door down early easy effect empty end enough even \
    every everybody everything exact example fact far fast feel few figure fill find fine first \
    fit forget forgot friend front full gone good goods great guest guy half hand handle happen \
    happy hard help hold hope hour idea instead issue item keep know last late later law leave \
    left less list little long look lose lost lot loads low make man men manager matter mean \
    mind minute moment money month morning move name near never new next nice nobody normal note \
    nothing now number offer often okay old open option part people pick piece place plain plan \
    possible problem product promise put question quick quite range rather reach ready reason \
    receive remember right rule run said safe say second see sell separate set show side simple \
    sit size small soon sort spend staff stand start stay stick stop straight stuff supply \
    suppose take talk think time today together tomorrow top total touch try turn type \
    understand use usual wait way week whole wish wonder word work worry year yesterday";

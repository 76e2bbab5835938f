"""The cast of the demo. Addresses end in .example, which no real mail can ever reach."""

from .people import BILLING, KINDS, OWNER, SUPPORT, VIEWER, Company, Member, Person

PACIFIC, MOUNTAIN = "America/Los_Angeles", "America/Denver"
CENTRAL, EASTERN = "America/Chicago", "America/New_York"

INGRID = Person("ingrid", "Ingrid Solberg", "ingrid@revampd.example", PACIFIC)
MARCUS = Person("marcus", "Marcus Webb", "marcus@revampd.example", EASTERN)
# Staff, of whom none is a superuser. Large adjustments of a wallet take two of them.
AVERY = Person("avery", "Avery Kim", "avery@revampd.example", PACIFIC, "Administrator")
NORA = Person("nora", "Nora Lindgren", "nora@revampd.example", EASTERN, "Finance")
SYLVIE = Person("sylvie", "Sylvie Laurent", "sylvie@revampd.example", EASTERN, "Support")

MAYA = Person("maya", "Maya Okafor", "maya@brightwell.example", MOUNTAIN)
# Bills for one Partner and owns a Sub-Org of the other.
DANIEL = Person("daniel", "Daniel Reyes", "daniel@brightwell.example", MOUNTAIN)
PRIYA = Person("priya", "Priya Nair", "priya@brightwell.example", MOUNTAIN)
JORDAN = Person("jordan", "Jordan Ellis", "jordan@brightwell.example", MOUNTAIN)
TOM = Person("tom", "Tom Lindqvist", "tom@lindqvist.example", MOUNTAIN)

JAKE = Person("jake", "Jake Morrison", "jake@ironside.example", CENTRAL)
# Belongs to both sides of one connection: Ironside and its Sub-Org Kettle & Core.
ELENA = Person("elena", "Elena Marchetti", "elena@ironside.example", CENTRAL)
SAMIR = Person("samir", "Samir Haddad", "samir@ironside.example", CENTRAL)
RUTH = Person("ruth", "Ruth Feldman", "ruth@feldman.example", CENTRAL)

HELEN = Person("helen", "Helen Park", "helen@lakeside.example", MOUNTAIN)
LUIS = Person("luis", "Luis Ortega", "luis@lakeside.example", MOUNTAIN)
AMY = Person("amy", "Amy Caldwell", "amy@lakeside.example", MOUNTAIN)
GRACE = Person("grace", "Grace Whitfield", "grace@lakeside.example", MOUNTAIN)
NATHAN = Person("nathan", "Nathan Brooks", "nathan@oakivory.example", MOUNTAIN)
CHLOE = Person("chloe", "Chloe Bennett", "chloe@oakivory.example", MOUNTAIN)
LEAH = Person("leah", "Leah Rosenthal", "leah@harborkids.example", PACIFIC)
VICTOR = Person("victor", "Victor Almeida", "victor@cedar.example", PACIFIC)
JOANNA = Person("joanna", "Joanna Fischer", "joanna@pearl.example", MOUNTAIN)
OMAR = Person("omar", "Omar Siddiqui", "omar@northgate.example", MOUNTAIN)
BRIAN = Person("brian", "Brian Castillo", "brian@mesa.example", MOUNTAIN)
KELLY = Person("kelly", "Kelly Tran", "kelly@summit.example", MOUNTAIN)

DEREK = Person("derek", "Derek Coleman", "derek@pulse.example", CENTRAL)
TANYA = Person("tanya", "Tanya Volkova", "tanya@pulse.example", CENTRAL)
MEILIN = Person("meilin", "Mei-Lin Chao", "meilin@riverbend.example", CENTRAL)
FELIX = Person("felix", "Felix Andersen", "felix@granite.example", EASTERN)
NINA = Person("nina", "Nina Marchetti", "nina@kettlecore.example", CENTRAL)
HANNAH = Person("hannah", "Hannah Doyle", "hannah@tidewater.example", EASTERN)

REVAMPD = Company(
    "revampd",
    KINDS.PLATFORM,
    "Revampd",
    "Revampd, Inc.",
    "548 Market Street, Suite 310",
    "San Francisco, CA 94104",
    "83-2957140",
    "billing@revampd.example",
    PACIFIC,
    (
        Member(INGRID, OWNER),
        Member(AVERY, BILLING),
        Member(MARCUS, SUPPORT),
        Member(NORA, VIEWER),
        Member(SYLVIE, VIEWER),
    ),
)
BRIGHTWELL = Company(
    "brightwell",
    KINDS.PARTNER,
    "Brightwell Agency",
    "Brightwell Media LLC",
    "1420 Larimer Street, Floor 4",
    "Denver, CO 80202",
    "84-3310925",
    "billing@brightwell.example",
    MOUNTAIN,
    (
        Member(MAYA, OWNER),
        Member(DANIEL, BILLING),
        Member(PRIYA, SUPPORT),
        Member(TOM, VIEWER),
    ),
)
IRONSIDE = Company(
    "ironside",
    KINDS.PARTNER,
    "Ironside Growth",
    "Ironside Growth Partners LLC",
    "833 West Fulton Market",
    "Chicago, IL 60607",
    "36-4471882",
    "billing@ironside.example",
    CENTRAL,
    (
        Member(JAKE, OWNER),
        Member(ELENA, BILLING),
        Member(SAMIR, SUPPORT),
        Member(RUTH, VIEWER),
    ),
)

LAKESIDE = Company(
    "lakeside",
    KINDS.SUB_ORG,
    "Lakeside Dental",
    "Lakeside Family Dental PC",
    "7310 West Alameda Avenue",
    "Lakewood, CO 80226",
    "84-1907734",
    "billing@lakeside.example",
    MOUNTAIN,
    (
        Member(HELEN, OWNER),
        Member(LUIS, BILLING),
        Member(AMY, SUPPORT),
        Member(GRACE, VIEWER),
    ),
)
OAK_AND_IVORY = Company(
    "oak",
    KINDS.SUB_ORG,
    "Oak & Ivory",
    "Oak & Ivory Orthodontics PLLC",
    "2015 Walnut Street",
    "Boulder, CO 80302",
    "84-2765518",
    "billing@oakivory.example",
    MOUNTAIN,
    (Member(NATHAN, OWNER), Member(CHLOE, BILLING)),
)
HARBOR_KIDS = Company(
    "harbor",
    KINDS.SUB_ORG,
    "Harbor Kids",
    "Harbor Kids Dentistry PS",
    "4108 Stone Way North",
    "Seattle, WA 98103",
    "91-2284406",
    "billing@harborkids.example",
    PACIFIC,
    (Member(LEAH, OWNER),),
)
CEDAR_GROVE = Company(
    "cedar",
    KINDS.SUB_ORG,
    "Cedar Endodontics",
    "Cedar Grove Endodontics LLC",
    "926 NW 23rd Avenue",
    "Portland, OR 97210",
    "93-1450382",
    "billing@cedar.example",
    PACIFIC,
    (Member(VICTOR, OWNER),),
)
PEARL_STREET = Company(
    "pearl",
    KINDS.SUB_ORG,
    "Pearl Street Perio",
    "Fischer Periodontics PC",
    "1650 Pearl Street, Suite 2",
    "Boulder, CO 80302",
    "84-4096613",
    "billing@pearl.example",
    MOUNTAIN,
    (Member(JOANNA, OWNER),),
)
NORTHGATE = Company(
    "northgate",
    KINDS.SUB_ORG,
    "Northgate Surgery",
    "Northgate Oral & Maxillofacial Surgery PC",
    "51 East 400 South",
    "Salt Lake City, UT 84111",
    "87-3129045",
    "billing@northgate.example",
    MOUNTAIN,
    (Member(OMAR, OWNER),),
)
MESA = Company(
    "mesa",
    KINDS.SUB_ORG,
    "Mesa Implant Center",
    "Mesa Implant Center LLC",
    "200 Main Street",
    "Grand Junction, CO 81501",
    "84-5520917",
    "billing@mesa.example",
    MOUNTAIN,
    (Member(BRIAN, OWNER),),
)
SUMMIT = Company(
    "summit",
    KINDS.SUB_ORG,
    "Summit Smiles",
    "Summit Smiles PLLC",
    "88 Village Road",
    "Frisco, CO 80443",
    "84-6013348",
    "billing@summit.example",
    MOUNTAIN,
    (Member(KELLY, OWNER),),
)

PULSE = Company(
    "pulse",
    KINDS.SUB_ORG,
    "Pulse Athletic Club",
    "Pulse Athletic Clubs Inc.",
    "1901 North Clybourn Avenue",
    "Chicago, IL 60614",
    "36-5108264",
    "billing@pulse.example",
    CENTRAL,
    (Member(DEREK, OWNER), Member(TANYA, BILLING)),
)
RIVERBEND = Company(
    "riverbend",
    KINDS.SUB_ORG,
    "Riverbend Yoga",
    "Riverbend Yoga Studio LLC",
    "612 East Locust Street",
    "Milwaukee, WI 53212",
    "39-2276091",
    "billing@riverbend.example",
    CENTRAL,
    (Member(MEILIN, OWNER),),
)
GRANITE = Company(
    "granite",
    KINDS.SUB_ORG,
    "Granite Climbing",
    "Granite Climbing Gym LLC",
    "345 Depot Street",
    "Ann Arbor, MI 48104",
    "38-4419730",
    "billing@granite.example",
    EASTERN,
    (Member(FELIX, OWNER),),
)
KETTLE_AND_CORE = Company(
    "kettle",
    KINDS.SUB_ORG,
    "Kettle & Core",
    "Kettle & Core Training LLC",
    "2240 West Armitage Avenue",
    "Chicago, IL 60647",
    "36-6624507",
    "billing@kettlecore.example",
    CENTRAL,
    (Member(NINA, OWNER), Member(ELENA, BILLING)),
)
MILE_HIGH_BOXING = Company(
    "boxing",
    KINDS.SUB_ORG,
    "Mile High Boxing",
    "Reyes Sports LLC",
    "3300 Walnut Street",
    "Denver, CO 80205",
    "84-7135520",
    "billing@milehigh.example",
    MOUNTAIN,
    (Member(DANIEL, OWNER),),
)
TIDEWATER = Company(
    "tidewater",
    KINDS.SUB_ORG,
    "Tidewater Swim",
    "Tidewater Swim School LLC",
    "1217 Granby Street",
    "Norfolk, VA 23510",
    "54-3380176",
    "billing@tidewater.example",
    EASTERN,
    (Member(HANNAH, OWNER),),
)

# In the order of the sign-in page. Kelly, Brian and Jordan have not accepted their invitations yet.
COMPANIES = (
    BRIGHTWELL,
    LAKESIDE,
    IRONSIDE,
    PULSE,
    REVAMPD,
    OAK_AND_IVORY,
    CEDAR_GROVE,
    HARBOR_KIDS,
    PEARL_STREET,
    NORTHGATE,
    RIVERBEND,
    GRANITE,
    KETTLE_AND_CORE,
    MILE_HIGH_BOXING,
    TIDEWATER,
)
PEOPLE = {member.person.key: member.person for firm in COMPANIES for member in firm.members}

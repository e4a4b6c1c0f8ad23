"""Words for the sample: names, subjects and paragraphs in English and Finnish."""

from __future__ import annotations

from random import Random

FIRST = [
    "Aino",
    "Eero",
    "Elina",
    "Ilona",
    "Jussi",
    "Kaisa",
    "Lauri",
    "Mikael",
    "Noora",
    "Oskari",
    "Pirjo",
    "Saara",
    "Tero",
    "Veikko",
    "Amira",
    "Ben",
    "Chidi",
    "Dana",
    "Erik",
    "Fatima",
    "Grace",
    "Henrik",
    "Irina",
    "Jonas",
    "Keiko",
    "Liam",
    "Marta",
    "Niamh",
    "Omar",
    "Priya",
    "Rosa",
    "Samir",
    "Tess",
    "Ulf",
    "Vera",
    "Wanda",
    "Yusuf",
    "Zofia",
]
LAST = [
    "Aalto",
    "Hietala",
    "Järvi",
    "Karppinen",
    "Laakso",
    "Mäkelä",
    "Niemi",
    "Ojala",
    "Peltola",
    "Rinne",
    "Saarinen",
    "Toivonen",
    "Virtanen",
    "Ylönen",
    "Andersson",
    "Bianchi",
    "Costa",
    "Dahl",
    "Evans",
    "Fischer",
    "Grant",
    "Haddad",
    "Ito",
    "Jensen",
    "Kelly",
    "Lopez",
    "Moreau",
    "Nowak",
    "Osei",
    "Patel",
    "Reyes",
    "Silva",
    "Tanaka",
    "Vogel",
    "Walsh",
    "Zhang",
]
FIRMS = [
    "Bright",
    "Clear",
    "North",
    "Harbour",
    "Lumi",
    "Metsä",
    "Meri",
    "Pohja",
    "Rata",
    "Sauna",
    "Silta",
    "Tuuli",
    "Vaaka",
    "Vire",
    "Ridge",
    "Stone",
    "Field",
    "Copper",
]
TRADES = [
    "Bikes",
    "Books",
    "Clinic",
    "Design",
    "Energia",
    "Foods",
    "Furniture",
    "Garden",
    "Kahvila",
    "Logistics",
    "Optics",
    "Paper",
    "Print",
    "Sports",
    "Tea",
    "Tools",
    "Travel",
]
FORMS = ["Oy", "Ltd", "AB", "GmbH", "Inc"]

SUBJECTS = {
    False: [
        "Order {n} has not arrived",
        "Wrong size in order {n}",
        "Invoice {n} shows the old address",
        "Cannot sign in since this morning",
        "How do I return one item of order {n}?",
        "The zip of my jacket broke after a week",
        "Change of delivery address for {n}",
        "Refund for {n} is still missing",
        "Gift card does not work at the checkout",
        "Question about the warranty of my tent",
        "Please cancel my subscription",
        "Double charge on my card, order {n}",
    ],
    True: [
        "Tilaus {n} ei ole saapunut",
        "Väärä koko tilauksessa {n}",
        "Laskussa {n} on vanha osoite",
        "En pääse kirjautumaan sisään",
        "Miten palautan osan tilauksesta {n}?",
        "Takin vetoketju hajosi viikossa",
        "Toimitusosoitteen muutos, tilaus {n}",
        "Hyvitys tilauksesta {n} puuttuu yhä",
        "Lahjakortti ei toimi kassalla",
        "Kysymys teltan takuusta",
        "Haluan perua tilaukseni",
        "Kortilta veloitettiin kahdesti, tilaus {n}",
    ],
}
SENTENCES = {
    False: [
        "The parcel was promised for last week and the tracking page has not moved since.",
        "I ordered a medium, but the label on the bag says small.",
        "Could you tell me what to do next?",
        "I have attached nothing this time, but I can send a photo if it helps.",
        "The card was charged twice, once at noon and once a minute later.",
        "It worked yesterday on the same computer.",
        "We need it before the weekend, otherwise I would rather have the money back.",
        "Thank you for the quick answer last time.",
        "The address on the invoice is the one we moved away from in spring.",
        "I could not find this in your instructions.",
        "My colleague had the same trouble with another order.",
        "The colour is fine, only the zip does not hold.",
        "Is there a shop nearby where I can leave it?",
        "I tried again after restarting, with the same result.",
        "The replacement left our warehouse this afternoon.",
        "You will get a label for the return by separate mail.",
        "The refund takes three working days to show on your account.",
        "I have changed the address, nothing else is needed from you.",
    ],
    True: [
        "Paketin piti tulla viime viikolla, eikä seuranta ole sen jälkeen liikkunut.",
        "Tilasin koon M, mutta pussissa lukee S.",
        "Voisitteko kertoa, miten tästä edetään?",
        "Voin lähettää kuvan, jos siitä on apua.",
        "Kortilta veloitettiin summa kahteen kertaan.",
        "Eilen kaikki toimi vielä samalla koneella.",
        "Tarvitsemme sen ennen viikonloppua, muuten haluan rahat takaisin.",
        "Kiitos viimekertaisesta nopeasta avusta.",
        "Laskussa on osoite, josta muutimme keväällä.",
        "En löytänyt tätä ohjeistanne.",
        "Työkaverillani oli sama ongelma toisen tilauksen kanssa.",
        "Väri on hyvä, mutta vetoketju ei pysy kiinni.",
        "Onko lähellä myymälää, johon sen voi palauttaa?",
        "Yritin uudestaan käynnistyksen jälkeen, sama tulos.",
        "Uusi tuote lähti varastoltamme tänään iltapäivällä.",
        "Saatte palautustarran erillisessä viestissä.",
        "Hyvitys näkyy tilillä kolmen arkipäivän kuluessa.",
        "Vaihdoin osoitteen, muuta ei tarvita.",
    ],
}


class Words:
    def __init__(self, random: Random) -> None:
        self._random = random

    def person(self) -> str:
        return f"{self._random.choice(FIRST)} {self._random.choice(LAST)}"

    def company(self) -> str:
        return f"{self._random.choice(FIRMS)} {self._random.choice(TRADES)} {self._random.choice(FORMS)}"

    def subject(self, finnish: bool) -> str:
        return self._random.choice(SUBJECTS[finnish]).format(n=self._random.randrange(10_000, 99_999))

    def text(self, finnish: bool, reference: str) -> str:
        """Two to four paragraphs, with a reference that stands in no other message."""
        paragraphs = [self._paragraph(finnish) for _ in range(self._random.randint(1, 3))]
        closing = f"Viite {reference}" if finnish else f"Reference {reference}"
        return "\n\n".join([*paragraphs, closing])

    def _paragraph(self, finnish: bool) -> str:
        return " ".join(self._random.sample(SENTENCES[finnish], self._random.randint(2, 5)))

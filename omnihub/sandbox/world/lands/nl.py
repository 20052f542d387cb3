"""Netherlands: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="NL",
    language="nl",
    currency="EUR",
    tld="nl",
    dial="31",
    digits=9,
    mobiles=("61", "62", "63", "64", "65"),
    address="{street} {no}",
    sons="Zonen",
    forms=(
        ("B.V.", "Besloten Vennootschap"),
        ("N.V.", "Naamloze Vennootschap"),
        ("V.O.F.", "Vennootschap onder firma"),
    ),
    towns=towns(
        """
Amsterdam|10## @@|20|Noord-Holland
Rotterdam|30## @@|10|Zuid-Holland
Utrecht|35## @@|30|Utrecht
Eindhoven|56## @@|40|Noord-Brabant
Groningen|97## @@|50|Groningen
Den Haag|25## @@|70|Zuid-Holland
Tilburg|50## @@|13|Noord-Brabant
Breda|48## @@|76|Noord-Brabant
Zwolle|80## @@|38|Overijssel
"""
    ),
    streets=(
        "Industrieweg",
        "Hoofdstraat",
        "Stationsweg",
        "Havenstraat",
        "Dorpsstraat",
        "Molenweg",
        "Kerkstraat",
        "Ambachtsweg",
        "Handelskade",
        "Nijverheidsweg",
        "Energieweg",
        "Schoolstraat",
        "Parallelweg",
        "Julianaweg",
    ),
    trades=(
        "Machinebouw",
        "Hydrauliek",
        "Automatisering",
        "Pompen",
        "Verpakking",
        "Houtbouw",
        "Hijstechniek",
        "Elektrotechniek",
        "Koeltechniek",
        "Staalbouw",
        "Papier",
        "Voeding",
        "Kunststof",
        "Logistiek",
        "Brouwerij",
        "Zuivel",
        "Gereedschap",
        "Bouw",
        "Landbouw",
        "Scheepsbouw",
        "Energie",
        "Glas",
        "Metaal",
        "Transport",
    ),
    men=words(
        """
Tycho Sepp Jonas Jelle Leon Joël Luuk Sebastiaan Samuel Dion Giel Johannes Daniël Berend Philip Quinn Wout
Casper Raf Adam Lars Hendrik Niek Valentijn Lex Ryan Muhammed Florian Jort Thomas Jesper Jan Job Jonathan Timo
Berat Willem Abel Tobias Bas Dave Yusuf Kyano Aiden Wessel Mads Mustafa Liam Stan Roan Mart Justin Jayson Arie
Bilal Rens Jake Xavi Mehmet Mats Bradley Dani Sven Hugo Sjoerd Rafael Joey Vigo Benjamin Jay Laurens Rick Nout
Bjorn Max Damian Kai Quinten Amir Lucas Cas Finn Matthias Ian Mohammed Pieter Ruben Mick Keano Mohamed Julian
Maxim Brian Victor Youssef Bart Stijn Sem Joshua Owen Tristan Rowan Beau Hamza Floris Riley Tijmen Dean Colin
Joris Micha Maarten Dirk Sil Alex Duuk Rayan Kevin Tijs Jules
"""
    ),
    women=words(
        """
Sanne Sarah Dana Silke Chloë Jennifer Selena Myrthe Indy Valerie Suze Dina Ize Nisa Benthe Isabella Yasmine
Femke Liv Emily Lena Pien Lana Amelia Juul Amy Ilse Lina Fiene Floor Sam Guusje Tess Joëlle Catharina Megan
Jaylinn Nikki Norah Sienna Hannah Yara Floortje Elif Evy Ivy Lizz Sara Frederique Sofie Maria Hanna Inaya
Elisabeth Fleur Julia Faye Maud Merel Jade Marit Selina Madelief Féline Jasmijn Ecrin Mila Roos Isis Sylvie Fem
Evie Lizzy Aylin Nienke Carlijn Cornelia Ella Noortje Sofia Ise Esmée Nora Stella Hailey Leah Jet Nadia Imke
Fien Cato Johanna Amber Jill Luna Nynke Aya Vera Kaylee Lieke Evelien Evi Feline Lize Meike Kyara Annemijn Janne
Kim Esther Mirte Mara Jinthe Esila Zara Merle Kayleigh Renske Loïs Lotte
"""
    ),
    surnames=words(
        """
Rehorst Tammerijn Gervais Vertooren Broeshart Gemen Steenbakkers Stamrood Wolters Symons Kriens Haack Uphus
Cornelisse Overeem Spies Timmerman Kwaadland Molen Meijer Huijzing Lemmens Lage Lambers Latier Wagenvoort
Jurrijens Bresé Schenk Beernink Risma Fredriks Peronne Teunissen Walsteijn Mulders Bouthoorn Lankle Pasman Lind
Geerts Rousselet Sterkman Elsenaar Korsman Visser Kallen Goderts Rek Wilmont Heerkens Gerrits Luster Uphaus
Billung Vierdag Melet Scardino Vervoort Thout Ernst Hekker Feenstra Huisman Kortman Kok Bloemendaal Boer
Hoedemakers Neuteboom Olykan Dircken Martel Rademaker Bruynzeels Rijcken Bosch Roessink Hexspoor Blokland Ruijs
Peters Pauwels Adriaensdr Hendricks Hellevoort Veltman Schiffer Paillet Janse Osterhoudt Beijring Lamore
Kuilenburg Perkins Jerusalem Backer Lathrope Muijs Berends Holthuis Lelijveld Booden Leguit Chevresson Ketting
Coret Stange Garret Huijbrechts Nollee Loreal Stuivenberg Perrono Kuijpers Geldens Smith Koeman Dirven Houdijk
Courtier Lamotte Adelaar Waardeloo Spier Knuf Mater Rippey Adriaansen Jochems Janssen Smeets Potters Galijn
Rijks Boddaugh Adriaense Ouwel Becht Miltenburg Bos Spaan Arts Elsemulder Ulrich Hendrikse Arent Vandenbergh
Dachgelder Jansse Persijn Verschut Ramaker Manne Kuit Jansdr Bijlsma Galenzone Kolen Mahieu Middelkoop Kerkhof
Beekman Mol Oosterhek Rietveld Shupe Lonen Kamp Kathagen Feltzer Heere Blaak Furda Verheij Rutten Hazenveld
Thatcher Bekbergen Aertsz Everts Dirksen Heijman Steinmeiern Weerdenburg Lensen Bruggeman Evers Claassen Pierson
Sitters Poncelet Oemencs Verschuere Nieuwstraten Niermann Köster Tielemans Ponci Westermann Briere Vallenduuk
Weijland Friehus Elberts Stoffelsz Verheuvel Koning Lagerweij Ligtvoet Carnotte Dubois Sas Verhaar Peterse
Grondel Mudden Brouwer Elbertse Kolster Nek Jaceps Willems Rotteveel Freshour Haselaar Janssens Fortuyn Verbeek
Mansvelt Bolkesteijn Ketel Prinsen Charon Hofman Chrodtrud Vaessen Pison Martens Schagen Broekhoven Zwart Jeggij
Verda Willemsen Wouters Steenbeek Vignon Brisee Gerritsen Hakker Karels Veenendaal Roodesteijn Ellis Simonis
Terry Verkade Zijlemans Gnodde Suijker Doyle Françoise Aarden Zuijdveld Wever Opmans Engels Fremie Speijer
Woutersz Vegt Mulder Huberts Merkx Aschman Schulten Smits Bastiaense Strik Wilcken Saxo Rubben Rouwhorst
Passchiers Zijlmans Jacobi Woudenberg Corstiaens Brandon Boudewijns Bastiaanse Pratt Greij Konings Hagendoorn
Hendriks Berendse Marchand Schuurmans
"""
    ),
)

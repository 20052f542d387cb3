"""Germany: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="DE",
    language="de",
    currency="EUR",
    tld="de",
    dial="49",
    digits=10,
    mobiles=("1512", "1514", "1522", "1602", "1705", "1712", "1723", "1735"),
    address="{street} {no}",
    sons="Söhne",
    forms=(
        ("GmbH", "Gesellschaft mbH"),
        ("GmbH & Co. KG", "GmbH und Co. KG"),
        ("AG", "Aktiengesellschaft"),
        ("KG", "Kommanditgesellschaft"),
        ("e. K.", "eingetragener Kaufmann"),
    ),
    towns=towns(
        """
Berlin|10###|30|Berlin
Hamburg|20###|40|Hamburg
München|80###|89|Bayern
Köln|50###|221|Nordrhein-Westfalen
Stuttgart|70###|711|Baden-Württemberg
Frankfurt am Main|60###|69|Hessen
Leipzig|04###|341|Sachsen
Bremen|28###|421|Bremen
Ulm|89###|731|Baden-Württemberg
Dresden|01###|351|Sachsen
Hannover|30###|511|Niedersachsen
Nürnberg|90###|911|Bayern
Dortmund|44###|231|Nordrhein-Westfalen
Kassel|34###|561|Hessen
"""
    ),
    streets=(
        "Hauptstraße",
        "Industriestraße",
        "Bahnhofstraße",
        "Gewerbepark Süd",
        "Lindenallee",
        "Daimlerstraße",
        "Am Hafen",
        "Werkstraße",
        "Siemensstraße",
        "Talweg",
        "Mühlenweg",
        "Robert-Bosch-Straße",
        "Schillerstraße",
        "Am Alten Güterbahnhof",
        "Ringstraße",
        "Carl-Zeiss-Straße",
    ),
    trades=(
        "Maschinenbau",
        "Fördertechnik",
        "Antriebstechnik",
        "Metallbau",
        "Anlagenbau",
        "Hydraulik",
        "Werkzeugbau",
        "Pumpen",
        "Druckluft",
        "Verpackung",
        "Holzbau",
        "Landtechnik",
        "Kältetechnik",
        "Elektrotechnik",
        "Automation",
        "Stahlbau",
        "Papier",
        "Lebensmittel",
        "Kunststoffe",
        "Logistik",
        "Brauerei",
        "Molkerei",
        "Keramik",
        "Feinmechanik",
    ),
    men=words(
        """
Abdullah Hanspeter Urban Bernfried Zoltan Halil Knut Istvan Fridolin Richard Alan Dominik Dierk Bodo Bernhard
Hinrich Bruno Arnfried Bertold Orhan Donald Reinhart Hagen Toralf Dino Jose Wolfgang Helge Olaf Joerg Kuno Piotr
Ferdi Heiner Volkmar Willi Laszlo Aloys John Jann Carmelo Fedor Imre Curt Alexander Janusz Sandor Ulf Ante Abbas
Sigmar Rigo Zoran Hubert Eckhardt Vito Pawel Reimund Daniel Juergen Arndt Sigfried Henrik Leonhard Tibor Viktor
Steffen Nurettin Aribert Johannes Micha Hartwig Ramon Matteo Andrzej Gerard Philipp Fabian Theodoros Manfred
Eckehard Mariusz Dursun Yilmaz Gordon Erhardt Alberto Emin Dieter Frederic Sabri Erik Bayram Reinald Jochem
Karsten Krzysztof Theo Celal Valerij Gottfried Laurenz Cornelius Burghard Harald Rafael Claudius Linus Mikhail
Janko Uwe Stefano Harm Zeljko Gunnar Nick Franjo Iwan Maurice Egon
"""
    ),
    women=words(
        """
Dörthe Marga Justine Inka Ulla Katarina Eva Anneke Christa Heidrun Amanda Hiltrud Nuran Christiana Annegret
Elfie Brita Georgia Aurelia Regina Elsbeth Yvonne Yasemin Natalia Natali Lena Thea Florentine Rosemarie Lore
Adriana Simone Renate Marjan Thekla Ariane Paola Lissy Birgitt Ruthild Annemie Katarzyna Fabienne Maya Filiz
Agathe Mareile Sylke Amalia Gaby Semra Irmgard Gundel Laila Irmingard Marit Sigrun Veronique Carolina Elma Ayse
Dorothee Virginia Martine Nancy Carmine Theresa Fatma Swantje Birgitta Raisa Melitta Doreen Urte Anneli Sibylla
Agatha Steffi Ingeborg Rosa Margita Aneta Kathi Anke Christiane Linda Luzia Stefani Margaretha Ilse Zdenka
Manuela Caren Monica Dajana Sieglinde Cordula Liane Siglinde Iwona Magret Inken Sophia Roswita Carola Corinne
Marlene Zofia Friedericke Irina Olav Rosita Mariana Karin Elisabet Veronika Frida Gertraut Sevim Heide
"""
    ),
    surnames=words(
        """
Stey Trommler Vogt Stumpf Warmer Ortmann Dobes Größler Haase Weller Hecker Rogge Pieper Mühle Ritter Bender
Kroker Stiebitz Vollbrecht Hentschel Langern Dippel Hölzenbecher Weber Zobel Fröhlich Löchel Klemm Hellwig
Flantz Kitzmann Hamann Eberth Niemeier Kensy Margraf Koch Krebs Ebert Dörschner Werner Dörr Johann Jopich
Tlustek Henck Heuser Röhricht Gierschner Bärer Segebahn Klingelhöfer Kühnert Haering Cichorius Löffler Kabus
Killer Hofmann Speer Lange Gunpf Schulz Rörricht Etzold Sontag Hiller Gumprich Schmiedt Säuberlich Ruppert Riehl
Ditschlerin Kramer Fiebig Heinrich Naser Jäkel Junck Vögele Mies Adler Drewes Schönland Bloch Faust Ullmann
Sager Wernecke Kohl Ring Davids Gorlitz Mangold Gute Plath Gnatz Schäfer Noack Trubin Bolzmann Lachmann Etzler
Lübs Bien Lindau Zänker Schenk Kuhl Barkholz Schlosser Schuster Weinhold Juncken Meyer Zorbach Krause Groß
Meister Girschner Kruschwitz Weimer Beckmann Lehmann Mude Kraushaar Rohleder Rädel Thies Eigenwillig Eimer Hein
Reinhardt Jäger Reichmann Drubin Kranz Nette Butte Klemt Lindner Becker Döring Holsten Linke Reuter Müller
Oderwald Steckel Roskoth Gröttner Hartmann Pergande Kostolzin Neuschäfer Misicher Rogner Rose Hauffer Biggen
Heintze Schinke Scheel Köhler Mosemann Holt Seip Kobelt Täsche Dietz Beier Walter Steuer Gutknecht Mende
Tintzmann Heidrich Rudolph Graf Ladeck Hövel Neureuther Mentzel Wagner Schacht Weihmann Scholz Weitzel Krein
Heydrich Bolnbach Zimmer Hübel Mans Wesack Mielcarek Karge Rust Hänel Adolph Kraus Boucsein Mälzer Heser Caspar
Stiffel Putz Fischer Köster Bohnbach Bachmann Stoll Röhrdanz Hettner Paffrath Finke Albers Peukert Ullrich
Geisler Kallert Keudel Wende Conradi Scheuermann Dehmel Schmidt Trub Scholl Weinhage Schomber Gerlach Schweitzer
Binner Mülichen Hoffmann Sorgatz Harloff Aumann Seidel Wirth Thanel Hartung Patberg Oestrovsky Schleich
Wohlgemut Ziegert Hethur Mohaupt Jungfer Pruschke Jähn Wieloch Kusch Klapp Gude Carsten Bohlander Jockel Kambs
Schmidtke Römer Kade Seifert Berger Henschel Wulf Blümel Stahr Scheibe Metz Hornich Käster Förster Hahn Renner
Stolze Nerger Trapp Otto Karz Trupp Schwital Rosemann Möchlichen Wulff Winkler Kreusel Pölitz Pärtzelt Häring
Drub Fechner Hande Wilmsen Briemer Budig Hornig Benthin
"""
    ),
)

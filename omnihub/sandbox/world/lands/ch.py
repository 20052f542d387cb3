"""Switzerland: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="CH",
    language="de",
    currency="CHF",
    tld="ch",
    dial="41",
    digits=9,
    mobiles=("76", "78", "79"),
    address="{street} {no}",
    sons="Söhne",
    forms=(
        ("AG", "Aktiengesellschaft"),
        ("GmbH", "Gesellschaft mit beschränkter Haftung"),
        ("SA", "Société Anonyme"),
    ),
    towns=towns(
        """
Zürich|80##|44|ZH
Basel|40##|61|BS
Bern|30##|31|BE
Luzern|60##|41|LU
St. Gallen|90##|71|SG
Winterthur|84##|52|ZH
Lausanne|10##|21|VD
Zug|63##|41|ZG
Chur|70##|81|GR
"""
    ),
    streets=(
        "Bahnhofstrasse",
        "Industriestrasse",
        "Hauptstrasse",
        "Dorfstrasse",
        "Seestrasse",
        "Werkstrasse",
        "Rosenweg",
        "Zürcherstrasse",
        "Bernstrasse",
        "Gewerbestrasse",
        "Lindenweg",
        "Kirchgasse",
        "Fabrikstrasse",
        "Rheinweg",
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
        "Uhrentechnik",
        "Molkerei",
        "Medizintechnik",
        "Feinmechanik",
    ),
    men=words(
        """
Said Tomasz Johannes Gustav Dalibor Amar Cédric Edin Hendrik Kevin Siro Jörg Erion Massimo Javier Attila Jaron
Mladen Hannes Dan Péter Colin Irfan Sam Arian Janic Patrik Alain Alvaro Santiago Ernest Neo Mats Amir Alfons
Burim Elio Sascha Gabor Steffen Emil Antoine Can Hüseyin Bernhard Nathanael Sacha Till Hansruedi Werner Giacomo
Almir Giancarlo Bojan Alfonso Daniele Leandro Giulio Sasa Fabrice Filip Haris Alessio Ismet Udo David Finn Lucio
Silvio Loris Armend Dardan Pietro Karsten Oswald Gianluca Robin Biagio Damian François Zsolt Gzim Curdin Joshua
Timothy Janick Ferenc Mato Jann Grzegorz Leonard Kastriot Ahmed Joel Yasin Raoul Juri Edgar Aaron Stéphane Adam
Flurin William Clemens Abdul Jusuf Emanuel Sebastian Christopher Fredy Sérgio Nino Christof Ekrem Moreno
Branislav Loïc Renato Kilian Frédéric
"""
    ),
    women=words(
        """
Nelly Madeleine Tenzin Sophie Raffaella Regine Lydie Sylvia Flavia Selin Irmgard Melissa Berthe Alba Geneviève
Birgit Fatima Mariangela Samanta Aurélie Vreneli Larissa Raphaela Virginia Agata Magda Alisa Lisette Agnès
Carmela Lou Rosaria Marija Christa Aida Amélie Jane Virginie Cindy Gabriele Ulrike Ladina Alena Kristin Irma
Liana Gladys Mia Cheyenne Kristina Sara Filipa Shqipe Barbara Katarina Marcela Renate Josefina Amra Erica Fatma
Alix Eloïse Yasmine Leila Tabea Alisha Herta Sybille Vjollca Mirlinda Federica Christina Lucienne Andrina Esra
Mara Liliane Bertha Lauriane Fabiana Sofie Paulina Nives Henriette Pamela Brigitta Annick Renata Arta Irina
Jasmine Sylviane Ilona Marlen Anneliese Ingrid Heidy Heidi Jael Célia Zorica Paulette Elisabetta Maria Renée Ava
Timea Martine Yasemin Ronja Laila Clémence Gloria Vivien Anne Monica Susana Bukurije Klara
"""
    ),
    surnames=words(
        """
Stöckli Groß Wolf Sigrist Roos Lüscher Giger Jäger Bauer Gross Leunberger Gloor Ritter Meister Eichenberger
Schnyder Christen Egger Tobler Hermann Stauffer Schwarz Schoch Sutter Michel Ammann Wirth Jost Fankhauser
Hunziker Schmidt Köhler Sidler Staub Mäder Koch Scherrer Peter Schürch Favre Herzog Jenni Stettler Hasler
Wüthrich Bolliger Schumacher Bader Zürcher Zollinger Bättig Meier Bianchi Felber Zehnder Egli Steinmann Weber
Stadelmann Hess Küng Wagner Stutz Winkler Merz Schmid Hug Vogt Aebi Größler Hotz Benz Frey Hofer Stalder Baur
Maurer Meili Gerber Schlatter Schenk Senn Bär Lanz Bieri Bernasconi Ziegler Ackermann Brunner Leu Hofstetter
Schweizer Zimmermann Lustenberger Graf Steiner Vögele Näf Steiger Frei Baumgartner Kuhn Lehmann Fischer Iten
Hafner Schuler Schärer Gfeller Blaser Wenger Walder Weibel Baumann Hürlimann Burri Fehr Stocker Ferrari Knecht
Seiler Pfister Wirz Bühlmann Friedli Erni Stucki Fuchs Schaller Berger Hirt Martin Kern Furrer Huber Studer
Kaiser Walter Forster Gut Bucher Schneider Spörri Kaufmann Lüthi Schäfer Probst Bosshard Mayer Geiger Zingg
Bühler Betschart Frick Keller Kälin Eugster Kohler Marti Schär Flückiger Ott Hauser Siegrist Hartmann Schwab
Mettler Lang Ernst Steffen Wegmann Tanner Müller Widmer Isler Imhof Haas Wettstein Vogel Hodel Wyss Blum Maier
Lutz Kessler Gasser Felder Schaub Scheidegger Rüegg Grob Braun Meyer Hoffmann Bachmann Kägi Käser Portmann Kunz
Amrein Brun Häfliger Beck Rey Hofmann Arnold Zbinden Roth Suter
"""
    ),
)

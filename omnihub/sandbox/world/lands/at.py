"""Austria: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="AT",
    language="de",
    currency="EUR",
    tld="at",
    dial="43",
    digits=10,
    mobiles=("6641", "6642", "6762", "6801", "6991"),
    address="{street} {no}",
    sons="Söhne",
    forms=(
        ("GmbH", "Gesellschaft m.b.H."),
        ("GmbH & Co KG", "GmbH und Co KG"),
        ("AG", "Aktiengesellschaft"),
        ("OG", "Offene Gesellschaft"),
    ),
    towns=towns(
        """
Wien|1##0|1|Wien
Graz|80##|316|Steiermark
Linz|40##|732|Oberösterreich
Salzburg|50##|662|Salzburg
Innsbruck|60##|512|Tirol
Dornbirn|68##|5572|Vorarlberg
Wels|46##|7242|Oberösterreich
Klagenfurt|90##|463|Kärnten
Leoben|87##|3842|Steiermark
"""
    ),
    streets=(
        "Hauptstraße",
        "Wiener Straße",
        "Linzer Straße",
        "Industriestraße",
        "Bahnhofstraße",
        "Gewerbestraße",
        "Feldgasse",
        "Mozartstraße",
        "Schulgasse",
        "Ringstraße",
        "Salzburger Straße",
        "Werkstraße",
        "Lindengasse",
        "Donaulände",
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
        "Seilbahnen",
        "Feinmechanik",
    ),
    men=words(
        """
Vincent Jamie Marcel Leonard Oliver Fabio Mike Timo Chris Valentino Fernando Jonathan Daniel Samuel Ralph Ruben
Gregor Lennard Tobias Steven Joshua Liam Leonardo Maurice Nikolai Lorenz Valentin Emanuel Emil Markus Raffael
Nico Anton Lukas Vito Manuel Paul Teodor Fabian Theodor Merlin Joel Jan Finn Karim Constantin William Marius
Xavier Adriano Sam Ilias Leo Cristiano Tim Matheo Severin Konstantin Max Sven Benjamin Robert Eduard Luka
Florentin Marcus Laurenz Leander Pascal Gustav Nick Friedrich Robin Nikolaus Jannik Milan Elias Dominik Mark
Patrick Ismail Milo Luis Nino Jasper Maximilian Aurelio Florin Niko Lino Thomas Louis Andreas Nikola Nikolas
Martin Christian Alexander Nicolas Heinrich Kilian Marvin Felix Mert Christopher Raphael Noel Jannis Florian
Erik Lionel Gabriel Hugo Adrian Mika Jacob Henri Filip Karl Franz
"""
    ),
    women=words(
        """
Sena Juliane Lotta Alice Sahra Nelly Elvira Aylin Tamara Louise Rita Maja Rana Helene Elsa Marijana Katarina
Stefanie Rebecca Sophie Veronika Heidi Manuela Leticia Alexa Milica Verena Mona Isabelle Lina Andjela Isabell
Vivian Vera Lilia Stella Diana Mariam Luise Sophia Raffaela Leonora Lia Theodora Miriam Sonja Adelina Olivia
Therese Mara Sofie Maria Josefine Sara Sarah Selena Elisabeth Dora Nicole Lilian Claire Lea Johanna Lena Rosalie
Alena Lorena Karina Annabella Elma Andrea Zoey Nela Elisa Lucie Mathilda Victoria Aurora Luna Leonie Domenica
Luisa Lola Emanuela Melissa Jasmine Gabriela Hannah Linda Liliane Eda Angelina Karoline Melisa Elona Leandra
Karla Ronya Louisa Irina Annika Beatrice Ariane Marta Emilija Clarissa Leona Nora Mia Natalie Erina Amelie
Constanze Kerstin Luana Rachel Marina Elina Amanda
"""
    ),
    surnames=words(
        """
Klingler Lehner Danner Klein Schrammel Pammer Berner Hödl Schachner Steinbacher Stifter Gstrein Pauer Neuhold
Arnold Brandstetter Sagmeister Renner Leitner Höglinger Siller Neuhauser Lenz Schimpl Schantl Mohr Bösch Hörl
Vogler Neulinger Kolar Ladner Stelzl Größler Neumayr Jäger Keller Weber Meier Kaindl Pollak Dallinger Kern Stütz
Grundner Reinthaler Leber Maringer Kofler Lindner Schmidt Horak Markl Schöpf Scherz Humer Feichter Schuster
Kaltenegger Streicher Kager Schön Vögele Franz Kopf Günther Gamsjäger Hummel Winkler Weissenböck Lengauer
Riedler Baier Unterweger Gross Hummer Gabriel Spitzer Dorfer Rosenberger Fröschl Paier Jung Kriegl Punz Neumayer
Handl Schwarzl Meister Schmölzer Rabitsch Harrer Ackerl Plattner Loibl Nagele Huter Bodner Kammerer Horn
Berchtold Schulz Platzer Zeilinger Mühlbacher Meusburger Hauer Köhler Fritsch Wenzl Rausch Müller Waltl
Eberharter Höfer Kreuzer Kocher Hölzl Feigl Oberhauser Haider Sattler Suppan Lackner Gollner Groß Sturm Gassner
Fichtinger Parzer Kummer Trimmel Mann Röck Griesser Reichl Gindl Schmuck Haidinger Spiegl Werner Stadler
Brandstätter Spreitzer Hafner Mayr Schneeberger Bäck Strohmeier Mitteregger Haas Laimer Mörth Buchinger Hörmann
Artner Felder Amon Leutgeb Stern Rauter Mühlböck Veit Hirsch Kainz Taucher Schubert Muhr Rupp Kirchmair Kaiser
Zehetner Sigl Wurm Schauer Seiser Schiller Schönauer Widhalm Prager Riener Eder Reichel Leeb Geisler Altmann
Ramsauer Trauner Martin Riedmann Grabner Pertl Jank Huemer Wurzinger Schäfer Kössler Kraus Polzer Neubauer
Berthold Helm Sammer Reiter Hartmann Grasser Dittrich Grünberger Seiwald Paulitsch Posch Fritz Steinberger
Becker Dorn Biedermann Fellner Pieber Haindl Huber Pilz Pfeffer Fasching Schuller Rath Grüner Meixner Hosp Marte
Fleck Gärtner Forster Kohler Nussbaumer Rosner Puntigam Adler Knaus Pühringer Lechner Zeiler Hollaus Brugger
Gschaider Kremser Lutz Buchberger Stiegler Zettl Haid Puchner Fischer Hofer Frisch Rauch Gratz Strasser Waldner
Schrenk Zechner Kratzer Haslinger Vogt Hager Fehringer Steiger Schmidinger Schinnerl Riegler Karrer Fröhlich
Fiedler Wiesner Sieber Neumann Greiner Lederer Gahleitner Schwab Stock Achleitner Kapeller Leibetseder Bader
Kreiner Hofstetter Resch Mair Pirker Marx Bayer Hämmerle Haderer Siegl Hell Scharinger Redl Kirschner Scheiber
Hauser
"""
    ),
)

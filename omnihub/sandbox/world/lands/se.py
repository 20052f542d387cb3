"""Sweden: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="SE",
    language="sv",
    currency="SEK",
    tld="se",
    dial="46",
    digits=9,
    mobiles=("70", "72", "73", "76"),
    address="{street} {no}",
    sons="Söner",
    forms=(
        ("AB", "Aktiebolag"),
        ("HB", "Handelsbolag"),
        ("KB", "Kommanditbolag"),
    ),
    towns=towns(
        """
Stockholm|11# ##|8|Stockholm
Göteborg|41# ##|31|Västra Götaland
Malmö|21# ##|40|Skåne
Uppsala|75# ##|18|Uppsala
Västerås|72# ##|21|Västmanland
Linköping|58# ##|13|Östergötland
Lund|22# ##|46|Skåne
Örebro|70# ##|19|Örebro
Luleå|97# ##|920|Norrbotten
"""
    ),
    streets=(
        "Industrigatan",
        "Storgatan",
        "Kungsgatan",
        "Hamngatan",
        "Verkstadsgatan",
        "Järnvägsgatan",
        "Skolgatan",
        "Drottninggatan",
        "Fabriksgatan",
        "Ringvägen",
        "Kvarnvägen",
        "Vasagatan",
        "Maskingatan",
        "Hantverkargatan",
    ),
    trades=(
        "Maskin",
        "Mekaniska",
        "Hydraulik",
        "Automation",
        "Pump",
        "Förpackning",
        "Trävaru",
        "Lyftteknik",
        "Elektro",
        "Kylteknik",
        "Stål",
        "Papper",
        "Livsmedel",
        "Plast",
        "Logistik",
        "Bryggeri",
        "Mejeri",
        "Verktyg",
        "Bygg",
        "Lantbruk",
        "Varv",
        "Energi",
        "Glas",
        "Gruv",
    ),
    men=words(
        """
Simon Sture Christian Reine Stefan Jimmie Nikola Jonathan Juan Maximilian Kent Tony Marco Frank Ture Oliver
Alvin Edgar Ingemar Charlie Mustafa Ulrik Urban Olle Petter Tord Alfred Jerker Vide Sigvard Adrian Isak Karl
Carlos George Abdul Eddie Josef Claes Christoffer Isac Patrick Ossian Kasper Sonny Vilgot Roland Saleh Sigurd
Börje Melker Ludwig Torgny Alberto Mohammed Örjan Amin Tobias Michal Tage Ralf Viking Mark Robert Liam Birger
Gert Elis Theodor Per Andreas Khaled Aron Kevin Folke Joseph Victor Martin Daniel Elof Dick Håkan Rudolf Abbas
Vilhelm Johannes Conny Patrik Karim Mahmoud Henry Hassan Jonatan Ole Abdirahman Christopher Jan Ingvar Lars
Fredric Sune Werner Ernst Gerhard Luis Artur Edwin Colin Olof Gunnar Herman Ferdinand Einar Mats Kari Jonny
Andrzej Dante Bruno Noel
"""
    ),
    women=words(
        """
Sandra Kristina Sofia Vanessa Christina Gerd Fatima Bianca Yasmin Ilse Natalia Ebba Harriet Gerda Inez Elly
Patricia Vilhelmina Marit Melina Paula Liselotte Lova Mariam Yvonne Rose Henrietta Lotta Elma Vanja Rosa Gertrud
Marta Isabel Birgit Nadja Emily Mia Erica Thea Amalia Alva Lydia Vendela Carolin Lina Judith Moa Solveig Maarit
Katrin Karina Ewa Ester Edit Susanne Mariana Christin Tova Aisha Lara Ali Edith Linnea Cassandra Anette Beata
Samira Meja Paulina Fanny Eira Elsa Marjatta Heidi Charlotte Catharina Elise Wilma Suzanne Helen Isabell Lilly
Cecilia Heléne Kerstin Majken Miriam Ingegärd Katharina Minna Annelie Nina Joanna Nicole Sabina Amelie Elvira
Ellen Märtha Rebecka Nelly Engla Bella Natalie Annika Veronika Marita Jessica Klara Kim Aleksandra Emmy Jill
Elin Rita Mila Ann Jeanette
"""
    ),
    surnames=words(
        """
Ekstrand Westberg Blixt Backman Dahlin Hedin Svedberg Börjesson Larsson Hammar Svanberg Lennartsson Falk
Sundström Rosén Kvist Henningsson Nord Söderlund Ljung Norling Sjöholm Broman Hultgren Borg Magnusson Forsman
Bäck Isaksson Melin Pettersson Lindqvist Haglund Boström Ahlqvist Holmberg Holmgren Skoglund Näslund Lundell
Ibrahim Israelsson Saleh Mårtensson Broberg Ågren Edin Lind Green Alfredsson Persson Boman Brännström Östlund
Asplund Abrahamsson Olsen Abdi Höglund Ismail Ljunggren Nygren Öhman Lindkvist Ström Olsson Khan Molin Skog
Wallin Hjelm Sundqvist Löfgren Nordin Månsson Karlsson Hussein Lindvall Gustavsson Rosengren Hammarström
Hellström Dahlqvist Hultman Nguyen Bylund Malmström Hanna Vesterlund Jonasson Pedersen Andersson Bergström
Sjöstedt Lindell Rydberg Linder Forsell Ekelund Sandell Lundkvist Moberg Hall Sjöblom Lundh Ahmad Hermansson
Marklund Ljungberg Gustafsson Hassan Malmgren Stenberg Ahmed Hansson Lundqvist Petersson Blomqvist Sjögren
Lindblad Larsen Josefsson Knutsson Möller Ahlin Wiklund Sköld Forsberg Norberg Holgersson Berg Bertilsson Lindén
Frisk Åberg Byström Edvardsson Roos Strandberg Söderqvist Johnsson Sandström Sjödin Dahlström Holst Hallin
Åström Martinsson Omar Mustafa Hansen Palmqvist Ahlberg Lundberg Samuelsson Landin Sjöström Henriksson Hagberg
Hedström Viklund Åkerlund Malmberg Westerlund Sandgren Lundmark Singh Blom Alm Kristiansson Paulsson Antonsson
Håkansson Östman Granath Ekström Palm Englund Söderberg Fredriksson Mohammadi Granström Lindgren Asp Eriksson
Sjölund Westerberg Dahlberg Granberg Grahn Andersen Brodin Nordström Brandt Nielsen Högberg Emanuelsson
Jacobsson Ahlgren Wilhelmsson Lindahl Bohlin Westman Forslund Ali Johnson Hagström Lundström Andrén Rydén Sandin
Sjöstrand Björklund Wikström Lövgren Dahlgren Claesson Lilja Bergkvist Lindblom Thorén Melander Holmqvist
Oskarsson Kristensson Fors Nylander Holmström Davidsson Eliasson Wahlberg Wester Hägglund Pålsson Ståhl Norén
Ekholm Danielsson Johansson Jeppsson Edman Hedberg Smith Sandberg Nyström Mohamed Ottosson Dahl Mohammed Sundin
Nilsson Norman Nyberg Ohlsson Hallberg Johannesson Sundberg Strid Hallgren Olofsson Klasson Einarsson Simonsson
Lindmark Granlund Sjöberg Engman Haraldsson Söderholm Osman Andreasson Hellman Mattsson Burman Niklasson Bodin
Hult Vikström Christensen Jönsson Helgesson Östberg Ericson Ericsson Lindholm Eklöf Ahmadi Lundgren Nordberg
Åkesson Sjölin Bäckman Schmidt Hägg Nyman Torstensson Fransson Göransson Hedman Hedlund
"""
    ),
)

"""Italy: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="IT",
    language="it",
    currency="EUR",
    tld="it",
    dial="39",
    digits=10,
    mobiles=("328", "333", "340", "347", "348", "349", "338"),
    address="{street} {no}",
    sons="Figli",
    forms=(
        ("S.p.A.", "Società per Azioni"),
        ("S.r.l.", "Società a responsabilità limitata"),
        ("S.n.c.", "Società in nome collettivo"),
    ),
    towns=towns(
        """
Milano|201##|02|Lombardia
Roma|001##|06|Lazio
Torino|101##|011|Piemonte
Bologna|401##|051|Emilia-Romagna
Brescia|251##|030|Lombardia
Padova|351##|049|Veneto
Verona|371##|045|Veneto
Napoli|801##|081|Campania
Modena|411##|059|Emilia-Romagna
"""
    ),
    streets=(
        "Via Roma",
        "Via dell'Industria",
        "Via Garibaldi",
        "Via Mazzini",
        "Corso Italia",
        "Via dell'Artigianato",
        "Via Verdi",
        "Viale Europa",
        "Via Dante",
        "Via Galileo Galilei",
        "Via Torino",
        "Piazza Cavour",
        "Via della Stazione",
        "Via Volta",
    ),
    trades=(
        "Meccanica",
        "Oleodinamica",
        "Automazione",
        "Pompe",
        "Imballaggi",
        "Legno",
        "Sollevamenti",
        "Elettrica",
        "Refrigerazione",
        "Acciai",
        "Carta",
        "Alimentari",
        "Plastica",
        "Logistica",
        "Birrificio",
        "Caseificio",
        "Utensili",
        "Costruzioni",
        "Agricola",
        "Cantieri",
        "Energia",
        "Vetro",
        "Metalli",
        "Ceramica",
    ),
    men=words(
        """
Lorenzo Benito Corrado Marco Stefano Atenulf Tonino Ferdinando Manuel Lamberto Arnulfo Salvatore Lucio Dino
Piersanti Agostino Rembrandt Giustino Raffaellino Nico Pellegrino Giuseppe Vincentio Alfio Gianfranco Ludovico
Gianluigi Nicolò Durante Rodolfo Graziano Jacopo Arsenio Pasquale Ivan Alphons Ruggero Raffaello Benvenuto
Cipriano Angelo Ippazio Piero Ranieri Gustavo Vittorio Lando Goffredo Roberto Antonello Amadeo Renzo Giorgio
Emilio Gaspare Amleto Valerio Silvio Donato Giancarlo Virgilio Ottone Sandro Livio Pierpaolo Achille Massimo
Nicola Silvestro Luchino Calogero Vincenzo Costantino Danilo Raimondo Gilberto Arnaldo Tiziano Baldassare
Galasso Geronimo Federigo Gian Alessio Federico Rolando Costanzo Sebastiano Nino Giuliano Ermanno Camillo
Laureano Fiorino Carlo Severino Napoleone Torquato Marcello Romeo Milo Ermes Liberto Nanni Marcantonio Guido
Pierluigi Osvaldo Ansaldo Paride Sante Ugolino Elmo Gastone Gianluca Gianmarco Guglielmo Ruggiero Giosuè
Raffaele
"""
    ),
    women=words(
        """
Adriana Lisa Viridiana Bettina Stefani Antonietta Eva Eleanora Sole Pierina Laura Lilla Stella Luisa Sandra
Lolita Stefania Sophia Paloma Jolanda Germana Michela Sonia Greca Mariana Liana Tina Amalia Letizia Victoria
Sylvia Dina Olga Fiamma Rosa Alessia Giuliana Livia Isa Graziella Maura Patrizia Adelasia Ludovica Cassandra
Elvira Irma Barbara Emma Donatella Paoletta Paulina Filippa Lidia Berenice Aurora Melissa Evangelista Silvia
Maria Lucrezia Imelda Ramona Veronica Eugenia Melina Clelia Marina Romina Rita Giorgia Martina Mercedes Fernanda
Lara Valeria Eliana Erika Camilla Loredana Morena Chiara Alessandra Monica Alina Virginia Federica Allegra
Priscilla Licia Antonia Francesca Marisa Nina Cecilia Lina Marcella Raffaella Vincenza Nicoletta Flora Bianca
Elisa Fabia Rossana Caterina Vanessa Donna Antonella Diana Simonetta Daria Amanda Ida Zaira Angelina Romana
Angelica Luigina Annamaria
"""
    ),
    surnames=words(
        """
Pezzali Buonauro Schicchi Borzomì Puglisi Scaduto Monicelli Bova Acerbi Tarchetti Brunello Rocca Murialdo Romiti
Nitto Borrani Cattaneo Solari Argurio Trombetta Missoni Mannoia Fallaci Pirelli Bombieri Alighieri Zamengo
Doglioni Antonelli Staglieno Castioni Argento Tedesco Perini Errani Platini Dellucci Ceravolo Capone Dossetti
Torricelli Giacconi Zanichelli Bossi Marconi Donà Cannizzaro Venditti Berrè Tomei Bosurgi Castiglione Modugno
Giannone Lucchesi Grossi Agnesi Ferrabosco Lussu Tebaldi Garibaldi Pisano Greco Moresi Traetta Vecoli Donini
Jilani Smirnoff Monteverdi Curatoli Carosone Serao Giusti Calarco Bersani Muti Innocenti Brunelleschi Pizziol
Vattimo Leblanc Maderno Russo Briccialdi Galilei Chigi Muratori Peruzzi Leone Iacovelli Boccherini Morabito Zito
Renzi Biagiotti Agostini Fibonacci Telesio Luzi Pacelli Pigafetta Casini Campano Golgi Bocca Rienzo Marini
Canali Polesel Parini Vento Panatta Baggio Botticelli Ughi Montanelli Bixio Fabbri Sordi Babati Tarantini
Argenti Tafuri Belletini Tresoldi Porcellato Scarfoglio Novaro Anastasi Maccanelli Mennea Verga Gargallo
Trezzini Duse Marino Mascheroni Colletti Broggini Brenna Vercelloni Carpaccio Bongiorno Morucci Andreozzi Verdi
Tamburi Moschino Luria Cociarelli Baresi Caccianemico Gussoni Gualandi Toninelli Tirabassi Draghi Rosmini Prodi
Vivaldi Viviani Villarosa Cantimori Bonanno Sanudo Boaga Boezio Conte Siffredi Malipiero Palombi Basadonna
Zichichi Olivetti Bonino Puccini Giradello Collina Tommaseo Altera Cesarotti Foscari Pagnotto Battelli Bompiani
Piccinni Sermonti Bignami Toldo Gottardi Cendron Agazzi Folliero Gulotta Lovato Magrassi Morricone Botta
Carfagna Ferrari Giorgetti Govoni Alfonsi Ovadia Ossola Mozart Anguillara Bembo Garobbio Ariasso Toscani Combi
Pergolesi Ruggeri Lercari Cherubini Gramsci Lancisi Benussi Cutrufo Odescalchi Vigliotti Antonioni Ferrucci
Navarria Meucci Paganini Rastelli Merisi Pedrazzini Jovinelli Mercalli Giannuzzi Bartoli Castellitto Virgilio
Bellini Pizzetti Zacchia Vergerio Cugia Stoppani Grisoni Polani Scarpetta Ioppi Ortese Boccioni Pareto Coppola
Caffarelli Beccaria Ariosto Visintini Casadei Riccati Morosini Guarneri Borroni Antonucci Borromini Chechi
Casagrande Lamborghini Pertile Dallapé Rizzoli Borsellino Petruzzi Roero Trupiano Santorio Miniati Lerner
Rosselli Pincherle Fusani Marcacci Vasari Balotelli Martinelli Aloisio Roccabonella Borromeo Paruta Gangemi
Fieramosca Pascarella Desio Bresciani Mantegna Tosto Cafarchia Fanucci Giannelli Detti Morgagni Correr
Bellocchio
"""
    ),
)

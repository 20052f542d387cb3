"""Spain: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="ES",
    language="es",
    currency="EUR",
    tld="es",
    dial="34",
    digits=9,
    mobiles=("610", "620", "630", "650", "660", "670"),
    address="{street} {no}",
    sons="Hijos",
    forms=(
        ("S.A.", "Sociedad Anónima"),
        ("S.L.", "Sociedad Limitada"),
        ("S.L.U.", "Sociedad Limitada Unipersonal"),
    ),
    towns=towns(
        """
Madrid|280##|91|Madrid
Barcelona|080##|93|Cataluña
Valencia|460##|96|Comunidad Valenciana
Sevilla|410##|95|Andalucía
Bilbao|480##|94|País Vasco
Zaragoza|500##|976|Aragón
Málaga|290##|952|Andalucía
Vigo|362##|986|Galicia
Pamplona|310##|948|Navarra
"""
    ),
    streets=(
        "Calle Mayor",
        "Calle de la Industria",
        "Avenida de Europa",
        "Calle Real",
        "Calle San Juan",
        "Polígono Industrial Norte",
        "Calle Cervantes",
        "Avenida del Puerto",
        "Calle Goya",
        "Paseo de la Estación",
        "Calle del Sol",
        "Calle Colón",
        "Ronda Sur",
        "Calle Velázquez",
    ),
    trades=(
        "Mecánica",
        "Hidráulica",
        "Automatización",
        "Bombas",
        "Embalajes",
        "Maderas",
        "Elevación",
        "Electricidad",
        "Refrigeración",
        "Aceros",
        "Papelera",
        "Alimentaria",
        "Plásticos",
        "Logística",
        "Cervecera",
        "Láctea",
        "Herramientas",
        "Construcción",
        "Agrícola",
        "Astilleros",
        "Energía",
        "Vidrio",
        "Metales",
        "Cerámica",
    ),
    men=words(
        """
Rufino Olegario Cesar Vito Cristóbal Sandalio Mauricio Ramón Marcio Adolfo Candelario Alfonso Matías Lucio
Donato Florencio Calixto Teófilo Félix Juanito Rodrigo Andrés Reynaldo Eusebio Blas Reinaldo Armando Goyo Amaro
Emigdio Arsenio Fortunato Valerio Marcelo Rafa Cándido Bernardino Humberto Héctor Lupe Josué Hector Amílcar
Natanael Amador Luís Marco Carlito Celso Tiburcio Álvaro Anselmo Wálter Hugo Severo Ildefonso Nacho Sergio
Federico Pelayo Lope Ambrosio Tito Lino Galo Noé Teo Jordán Valero Ciriaco Desiderio Eduardo Omar Guiomar Rafael
Severino Borja Eladio Máximo Maximino Sancho Albert Lucho Ignacio Marc Baldomero Alfredo Alcides Vicente Juan
Xavier Pepito Marcial Ramiro Tomás Iván Leandro Marciano Nando Aníbal Eugenio Ruben Espiridión Vidal Mateo Paco
María Mario Bruno Erasmo Apolinar Lorenzo José Cayetano Raimundo Jacinto Artemio Nicodemo Hernán Isidoro
"""
    ),
    women=words(
        """
Susanita Imelda Eufemia Otilia Aura Teodora Margarita Morena Camila Valentina Dalila Itziar Herminia Aroa Dora
Chus Raquel Chita Melania Mirta Nydia Visitación Angélica Amarilis Edelmira Adelaida África Esther Aitana
Eulalia Sabina Teresa Leandra Soraya Anunciación Marcela Consuela Zaira Rufina Fidela Alexandra Lorena Anastasia
Paloma Nuria Vicenta Roberta Anita Ámbar Yolanda Pili Merche Tere Benita Marisol Amparo Obdulia Hilda Gema Adela
Pascuala Eusebia Perlita Noelia Silvia Carina Consuelo Evelia Reina Concha Clementina Encarnita Rosalinda Emilia
Noa Martirio Dionisia Daniela Gracia Julia Soledad Tecla Irene Lupita Lorenza Belén Nicolasa Brunilda Coral
Dorotea Aurelia Delia Alma Catalina Vera Olga Úrsula Selena Máxima Mireia Pastora Eliana Priscila Sol Roxana
Alicia Clara Rita Salud Esmeralda Nerea Benigna Manu Cecilia Fabiana Rosa Mar Adriana Lucila
"""
    ),
    surnames=words(
        """
Quirós Mateu Gascón Galindo Valls Mir Mulet Galan Beltrán Gálvez Pol Perelló González Sevilla Pallarès Losa
Iglesia Barrios Conesa Blanco Simó Borja Pascual Pelayo Barrena Vilanova Font Rivas Pedro Carpio Riquelme
Gonzalez Quesada Almeida Delgado Hernández Uriarte Campos Carretero Guitart Sosa Molina Amores Gámez Costa Nebot
Cortina Echevarría Bauzà Reig Baró Maestre Carballo Baquero Chaves Fabra Rodrigo Narváez Barceló Ramis Baños
Mascaró Doménech Cuéllar Gutiérrez Seguí Lobo Rivero Montaña Valderrama Santiago Batlle Escrivá Bolaños Adán
Calderón Mármol Tovar Arnau Pazos Cueto Llopis Navas Melero Nogueira Quero Aroca Llanos Manzano Flores Morán Bru
Correa Marquez Barón Olmo Barragán Segarra Catalá Salvador Reyes Pedrero Luque Tena Carlos Avilés Alberdi Espada
Moraleda Gelabert Fonseca Armas Ruiz Riba Collado Marco Egea Tomas Fuentes Ochoa Duque Vigil Contreras Merino
Girón Osorio Seco Carro Trujillo Maldonado Alvarado Saldaña Ledesma Elías Clemente Fortuny Casas Crespo Colom
Corral Lobato Torrents Tudela Izquierdo Moll Aparicio Gallardo Luján Bustos Cañete Morell Higueras Roig Maza
Alarcón Izaguirre Marqués Artigas Alcaraz Escribano Cano Cobos Berenguer Espejo Vall Rodríguez Juliá Aragonés
Escobar Tenorio Zabaleta Paniagua Camps Cisneros Dueñas Chico Sotelo Valencia Pedrosa Abascal Campoy Llorens
Antón Ferrer Vidal Toro Cuevas Báez Roselló Menendez Dominguez Iniesta Coloma Llano Llamas Urrutia Rosell Franco
Carvajal Talavera Oliva Aliaga Granados Hidalgo Araujo Águila Lledó Roldan Conde Vergara Pavón Cerdá Rosales
Vilalta Amo Mayoral Bermejo Uribe Benavente Cornejo Laguna Morcillo Ayuso Vallés Bou Jiménez Roda Abellán Grau
Cifuentes Mosquera Palomares Amador Prada Bonilla Suarez Ródenas Lerma Zurita Goñi Bejarano Gilabert Galvez
Agustí Marcos Estrada Saavedra Pacheco Querol Jurado Amat Ayala Machado Verdú Alvarez Muñoz Pablo Hervás Ibarra
Quintero Alonso Sureda Quintana Álvarez Roman Carmona Ribera Serrano Ramirez Solís Castañeda Estévez Ribas Piñol
Casanovas García Daza Esparza Asenjo Heras Catalán Cerro Bonet Bastida Herrera Carreras Arias Roca Paredes
Manrique Solsona Palomo Zamora Bas Acuña Saez Velázquez Castellanos Gabaldón Ortiz
"""
    ),
)

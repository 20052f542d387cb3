"""France: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="FR",
    language="fr",
    currency="EUR",
    tld="fr",
    dial="33",
    digits=9,
    mobiles=("61", "62", "63", "66", "67", "68"),
    address="{no} {street}",
    sons="Fils",
    forms=(
        ("SARL", "Société à responsabilité limitée"),
        ("SAS", "Société par actions simplifiée"),
        ("SA", "Société anonyme"),
        ("EURL", "Entreprise unipersonnelle"),
    ),
    towns=towns(
        """
Paris|750##|14|Île-de-France
Lyon|690##|47|Auvergne-Rhône-Alpes
Toulouse|310##|56|Occitanie
Nantes|440##|24|Pays de la Loire
Lille|590##|32|Hauts-de-France
Strasbourg|670##|38|Grand Est
Bordeaux|330##|55|Nouvelle-Aquitaine
Grenoble|380##|47|Auvergne-Rhône-Alpes
Rennes|350##|29|Bretagne
Dijon|210##|38|Bourgogne-Franche-Comté
"""
    ),
    streets=(
        "rue de la Gare",
        "avenue de l'Industrie",
        "rue Victor Hugo",
        "boulevard Voltaire",
        "rue Pasteur",
        "rue des Artisans",
        "avenue Jean Jaurès",
        "chemin du Moulin",
        "rue de la République",
        "allée des Platanes",
        "rue Ampère",
        "quai du Port",
        "rue du Château",
        "avenue Gustave Eiffel",
    ),
    trades=(
        "Mécanique",
        "Hydraulique",
        "Automatismes",
        "Pompes",
        "Emballage",
        "Menuiserie",
        "Levage",
        "Électricité",
        "Froid",
        "Métallerie",
        "Papeterie",
        "Alimentaire",
        "Plasturgie",
        "Logistique",
        "Brasserie",
        "Laiterie",
        "Outillage",
        "Bâtiment",
        "Agricole",
        "Verrerie",
        "Énergie",
        "Fonderie",
        "Usinage",
        "Robotique",
    ),
    men=words(
        """
Tristan Alphonse Roland Benjamin René Marcel Thibaut Gilles Olivier Emmanuel Nicolas Théophile Patrick Yves
Lucas Auguste Édouard Alexandre Noël Laurent Isaac Michel Frédéric Henri Gilbert Denis Daniel Paul Rémy Augustin
Bernard Thierry Éric Jules Robert Vincent Matthieu Alain Zacharie Hugues Honoré Benoît Antoine Bertrand Joseph
François Léon Christophe Gérard Alfred Marc Timothée Arthur Pierre Thibault Charles Gabriel Étienne Adrien Aimé
Roger Sébastien William Julien Théodore Philippe Raymond André Franck Émile Jacques Richard Stéphane Jérôme
Louis Maurice David Martin Jean Xavier Georges Grégoire Thomas Eugène Luc Guy Victor Guillaume
"""
    ),
    women=words(
        """
Maryse Marthe Édith Margot Marianne Madeleine Isabelle Alice Émilie Noémi Agathe Constance Astrid Sophie Margaud
Jeanne Antoinette Marcelle Clémence Aurore Pénélope Colette Adrienne Lucy Élisabeth Henriette Christine Victoire
Margaux Capucine Dorothée Céline Anouk Nathalie Alex Alexandria Jacqueline Hélène Amélie Célina Océane Corinne
Paulette Emmanuelle Inès Christiane Susan Marie Odette Anaïs Gabrielle Marine Adèle Valentine Renée Sylvie
Patricia Aurélie Mathilde Véronique Martine Andrée Pauline Danielle Thérèse Éléonore Jeannine Claudine Virginie
Susanne Lorraine Alix Camille Charlotte Catherine Denise Christelle Suzanne Hortense Margaret Josette Chantal
Élodie Adélaïde Marguerite Maggie Anastasie Brigitte Nath Agnès Stéphanie Laure Michelle Cécile Caroline Monique
Zoé Sabine Lucie Frédérique Joséphine Julie Nicole Laurence Geneviève Louise Claire Alexandrie Arnaude Élise
Valérie Manon Juliette Diane Claude Anne Bernadette Aimée Françoise Audrey
"""
    ),
    surnames=words(
        """
Gay Bertrand Colin Delorme Paris Lefèvre Auger Leduc Fernandez Mahe Vaillant Potier Marques Boyer Bernier Devaux
Dupré Coulon Evrard Brun Godard Cordier Robert Costa Rocher Gosselin Martin Jacquet Renaud Moreno Denis Royer
Lucas Bruneau Gros Schmitt Perrot Pineau Boucher Deschamps Fischer Pruvost Sanchez Hervé Caron Breton Pascal
Lesage Gomes Joubert Carlier Jacob Raynaud Lefebvre Hamon Faivre Barbe Traore Fouquet Baudry Delmas Gallet Simon
Lemaître Marin Lopes Delannoy Launay Cohen Legrand Olivier Lebrun Marie Guillaume Maréchal Blot Briand Bigot
Gillet Louis Léger Schneider Cousin Grenier Bègue Philippe Turpin Lemonnier Lamy Lecoq Lejeune Pichon Parent
Dias Robin Blanchet Vallet Lopez Imbert Ollivier Laroche Chevalier Martinez Girard Lemoine Munoz Perrier Sauvage
Didier Charrier Hoareau Alves Joseph Gaillard Picard Gaudin Richard Jacques Meyer Ribeiro Delattre Diaz Dupont
Clément Muller Étienne Riou Bousquet Thierry Guérin Baron Poulain Garcia Brunet Lagarde Petit Roger Blin Ledoux
Marty Bouvier Ramos Jourdan Alexandre Gonzalez François Fernandes Bonnet Maury Foucher Jean Chevallier Bodin
Perez Gilles Labbé Georges Hamel Renault Dufour Adam David Benoit Gomez Leroy Pierre Fontaine Marchand Blanc
Lemaire Monnier Lebon Bouchet Fournier Carre Langlois Legros Bertin Hubert Antoine Letellier Ferreira Fabre
Guibert Daniel Garnier Joly Guichard Boulay Berger Brunel Aubert Leclerc Legendre Marchal Perrin Barbier Leleu
Giraud Guillon Gérard Colas Chartier Hebert Maillot Seguin Bourdon Arnaud Durand Huet Guyon Delahaye Mace
Laporte Dumas Gautier Goncalves Neveu Ferrand Rémy Duhamel Prévost Hoarau Descamps Grégoire Tessier Dubois
Bailly Maillet Bazin Becker Maillard Millet Chauveau Raymond Delaunay Lenoir Mathieu Leroux Rossi Vincent Ruiz
Lebreton Guilbert Albert Diallo Mallet Berthelot Nguyen Pinto Dupuis Bonneau Roux Carpentier Vasseur Besnard
Wagner Lecomte Chrétien Thomas Noël Mercier Lambert Pages Torres Clerc Guyot Vidal Mendès Hardy Dijoux Salmon
Pires Boutin Lelièvre Blanchard Gimenez Humbert Charles Guillou Charpentier Weber Rousset Pelletier Rodrigues
Pottier Toussaint Allard Roussel Pereira Henry Paul Laurent Bouvet Camus Blondel Normand Masson Lombard Leblanc
"""
    ),
)

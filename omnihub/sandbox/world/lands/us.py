"""United States: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="US",
    language="en",
    currency="USD",
    tld="com",
    dial="1",
    digits=10,
    mobiles=(),
    address="{no} {street}",
    sons="Sons",
    forms=(
        ("Inc.", "Incorporated"),
        ("LLC", "Limited Liability Company"),
        ("Corp.", "Corporation"),
    ),
    towns=towns(
        """
Chicago|606##|312|IL
Houston|770##|713|TX
Detroit|482##|313|MI
Cleveland|441##|216|OH
Milwaukee|532##|414|WI
Atlanta|303##|404|GA
Seattle|981##|206|WA
Denver|802##|303|CO
Pittsburgh|152##|412|PA
St. Louis|631##|314|MO
Boston|021##|617|MA
Charlotte|282##|704|NC
"""
    ),
    streets=(
        "Main Street",
        "Industrial Parkway",
        "Oak Avenue",
        "Commerce Drive",
        "Maple Street",
        "Lakeview Drive",
        "Washington Avenue",
        "Park Avenue",
        "Factory Road",
        "Harbor Boulevard",
        "2nd Street",
        "Lincoln Highway",
        "Mill Road",
        "Enterprise Court",
    ),
    trades=(
        "Engineering",
        "Hydraulics",
        "Automation",
        "Pumps",
        "Packaging",
        "Lumber",
        "Hoists",
        "Electric",
        "Refrigeration",
        "Steel",
        "Paper",
        "Foods",
        "Plastics",
        "Logistics",
        "Brewing",
        "Dairy",
        "Tools",
        "Construction",
        "Farming",
        "Shipyard",
        "Energy",
        "Glass",
        "Metals",
        "Ceramics",
    ),
    men=words(
        """
Austin Richard Cole Tyler Jermaine Clarence Adrian Allen Tommy Cameron Mark Marc Dominic Sergio Marco Tristan
Fred Gary Greg Rodney Noah Kelly Joel Alex Nicolas Tracy Brendan Dave Leslie Randall Trevor Brad Shane Jack
Gavin Gabriel Nathan Bobby Nicholas Andres Roger Colin Johnny Erik Christian Ernest Eddie Terrance Andre
Reginald Frederick Parker Riley Ralph Mason Paul Peter Tyrone Jaime Chris Julian Glen Wyatt Brent Dennis Joe
Brady Bruce Phillip Vernon Jimmy Maurice Grant Louis Ian Darin Franklin Isaiah Brian Lonnie Fernando Ricky Todd
Hayden Edwin Jeff Seth Terry Maxwell Martin Corey Edgar Arthur Francis John Patrick Cory Alec Jeremiah Antonio
Luke Lucas Steven Darren Jeffrey Jeremy Howard Lance Samuel Dylan Dillon Geoffrey Jake Aaron Clifford Rickey
Blake Keith Zachary Harold
"""
    ),
    women=words(
        """
Angie Colleen Kathryn Savannah Grace Shelley Elizabeth Shelly Evelyn Robin Chelsey Melanie Michele Shari Stacie
Shelby Kerri Mariah Margaret Kirsten Kara Meghan Jaclyn Kristie Mallory Adrienne Joyce Monica Marissa Sydney
Teresa Hayley Candace Denise Tracey Paige Carrie Cindy Janice Tricia Miranda Rita Eileen Alexa Haley Krista
Stefanie Jean Alison Yesenia Jasmine Tracie Jamie Sue Judith Marie Sheri Tonya Mindy Adriana Kim Rachael Bianca
Cristina Yvette Sherri Cathy Laurie Erin Casey Kristina Deborah Breanna Misty Alicia Brittany Veronica Beverly
Carly Meagan Theresa Vanessa Bethany Joanne Meredith Kelli Audrey Bridget Virginia Katelyn Michelle Chelsea Ann
Kendra Kaitlin Gabriella Frances Alexandria Angelica Cheyenne Gabrielle Chloe Terri Sharon Renee Alexandra
Autumn Katherine Selena Sonya Dominique Joy Peggy Jenna Mia Maria Jeanne Tamara Wendy
"""
    ),
    surnames=words(
        """
Gardner Herrera Chavez Fuller Cook Cunningham Contreras Carter Ball Cox Ortiz Cross Bailey Bennett Rodgers
Porter Riley Lopez Greene Watkins Willis Nunez Williams Lewis Meyer Martin Simpson Parks Johnston Robertson
Watson Fox Hansen Fowler Burns Fisher Park Dunn Rhodes Walker Gross Payne Lambert Walters Hunter Delgado Munoz
Grant Larson Rodriguez Ramos Kelley Wheeler Figueroa Murray Vazquez Peters Navarro Hoffman Barnett Gilbert Ross
Bell Gray Curtis Bowman Padilla Black Mann Jackson Hawkins Thomas Cortez Parker Maldonado Myers King Moran
Andrews Weber Dominguez Miles Green Holmes Owens Harper Bush Welch Stephens Armstrong Lowe Lynch Smith Newton
Mccoy Rojas Burke Romero Ward Young Beck Jennings Castro Klein Hunt Elliott Webb Carr Mclaughlin Warren Gibson
Pierce Richards Holt Turner Snyder Thompson Morgan Simon Gomez Ruiz Barber Byrd Caldwell Shelton Fleming
Patterson Russell Harrison Norris Griffith Perkins Carpenter George Schneider James Perez Hernandez Robinson
Vasquez Carroll Salazar Perry Becker Vega Page Santos Hale Collins Weaver Nelson Douglas Powers Cruz Tran Flores
Boyd Freeman Lyons Knight Jacobs Mcdonald Castillo Mitchell Davis Montgomery Washington Banks Guzman Barnes
Campbell Nichols Berry Hanson Mason Marshall Leonard Edwards Doyle Scott Keller Schultz Hopkins Walsh Cummings
Sanchez Lucas Stevenson Fields Lawson Roberts Dennis Taylor Ferguson Nguyen Wilson Wagner Garcia Moreno Sutton
Wood Lawrence Mcdaniel Barker Daniels Blair Moore Frazier Davidson Steele Peterson Wong Hicks Soto Newman
Phillips Evans Joseph Luna Warner West Clark Yang Franklin Chen Butler Arnold Carlson Hayes Higgins Sanders
Robbins Stone Dawson Silva Holland Griffin Espinoza Morris Erickson Jenkins Woods Jones Mendoza Pena Fernandez
Jensen Aguilar Haynes Reed Harmon Long Tucker Barrett Graham Miller Olson Johnson Estrada Guerrero Williamson
Reid Ford Lee Schwartz Pearson Swanson May Reynolds Jimenez Ortega Powell Quinn Reyes Lane White Alvarez Acosta
Crawford Rogers Sharp Rivera Ray Little Brown Torres Hughes Chapman Santiago Oliver Chambers Dean Palmer Oconnor
Ramsey Gordon Ramirez Gonzales Kim Sullivan
"""
    ),
)

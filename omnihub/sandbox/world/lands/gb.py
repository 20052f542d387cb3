"""United Kingdom: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="GB",
    language="en",
    currency="GBP",
    tld="co.uk",
    dial="44",
    digits=10,
    mobiles=("7712", "7711", "7721", "7770", "7801", "7850", "7903"),
    address="{no} {street}",
    sons="Sons",
    forms=(
        ("Ltd", "Limited"),
        ("PLC", "Public Limited Company"),
        ("LLP", "Limited Liability Partnership"),
    ),
    towns=towns(
        """
London|EC# #@@|207|Greater London
Manchester|M# #@@|161|Greater Manchester
Birmingham|B# #@@|1212|West Midlands
Leeds|LS# #@@|1132|West Yorkshire
Bristol|BS# #@@|1172|Avon
Sheffield|S# #@@|1142|South Yorkshire
Glasgow|G# #@@|141|Lanarkshire
Liverpool|L# #@@|151|Merseyside
Nottingham|NG# #@@|1152|Nottinghamshire
"""
    ),
    streets=(
        "High Street",
        "Station Road",
        "Mill Lane",
        "Victoria Road",
        "Church Street",
        "Industrial Way",
        "Park Road",
        "Queens Road",
        "Canal Street",
        "Foundry Lane",
        "King Street",
        "Dock Road",
        "Bridge Street",
        "Enterprise Way",
    ),
    trades=(
        "Engineering",
        "Hydraulics",
        "Automation",
        "Pumps",
        "Packaging",
        "Timber",
        "Lifting",
        "Electrical",
        "Refrigeration",
        "Steel",
        "Paper",
        "Foods",
        "Plastics",
        "Logistics",
        "Brewery",
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
Leigh Leon Jacob Bernard William Neil Nigel Peter Guy Daniel Lewis Steven Ben Matthew Joel Scott Jason Kevin
Paul Ian Gordon Francis Donald Ronald Gerard Bradley Arthur Stewart Darren Conor Thomas Charlie Vincent Josh
Andrew Abdul Martyn Derek Bruce Michael Ryan Dean Toby Sean Oliver Joe Samuel Bryan Rhys Glen Alexander Russell
Damien Stanley Lee Benjamin Charles Jack Ross David Adrian Sam Jamie Tony Gregory Owen Carl Ashley Clifford
Howard Gareth James Nicholas Geoffrey Jeffrey Danny Stephen Adam Damian Dennis Marcus Elliot Roy Simon Dale
Barry Shaun Jonathan John Douglas Kieran Phillip Glenn Martin Brandon Terence Gerald Leonard Keith Henry Frank
Duncan Maurice Leslie Antony Raymond Patrick Lawrence Elliott Albert Reece Frederick Mathew Billy Julian Kyle
Garry Joseph Terry George
"""
    ),
    women=words(
        """
Sylvia Diana Gillian Kathleen Sharon Anna Hazel Rosie Lucy Susan Sarah Julie Donna Clare Joan Abbie Tracy
Bethany Ann Kayleigh Andrea Sophie Samantha Jenna Lynn Claire Linda Jane Amber Aimee Georgina Alice Lauren Leah
Rosemary Bethan Hilary Lynda Melissa Rachel Jacqueline Janice Mary Elaine Catherine Fiona Valerie Jodie Pauline
Tracey Dawn Shannon Joanna Eileen Lynne Lorraine Barbara Stephanie Jasmine Frances Julia Hayley Margaret Holly
Lydia Cheryl Hannah Ellie Katie Sandra Rebecca Stacey Francesca Carol Kelly Jayne Janet Jill Helen Ashleigh
Joanne Katy Tina Maureen Kimberley Victoria Marion Jean Abigail Ruth Leanne Emily Charlene Paige Charlotte Chloe
Eleanor Geraldine Debra Gemma Kim Lisa Megan Alexandra Carole Amy Olivia Lindsey Pamela Hollie Amanda Lesley
Angela Elizabeth Michelle Diane Carly Sian Gail Anne
"""
    ),
    surnames=words(
        """
Walsh Stewart Collins Chambers Watson Burns Baxter Frost Fraser Walker Lowe Bradley Woodward Kent Norman Ward
Patterson Gray Davies Booth Kay West Burke Barnes Metcalfe Johnston Andrews Shah Potts Bartlett Morgan Wilkinson
Bryant Slater Brookes Harvey King Daly Clarke Hart Walters Greenwood Gallagher Bentley Bowen Bond Evans Ellis
Brennan Flynn Bray Taylor Williamson Bird Bibi Stevenson Thornton Mann Hodgson Harrison Bull Osborne Parker
French Lawson Briggs Wilkins Hartley Pearce Wallace Young Dickinson Dodd Khan Bates Dunn Reeves Dean Townsend
Boyle Baker Gardner Powell Archer Hudson Bryan Marsden Robson Williams Jackson Green Thompson Day Morton Smart
Mills Warner Shepherd Chapman Clark Rowe Peters Brown Davidson Price Glover Bell Jordan Barrett Poole Hughes
Robinson Barton Cooke Parkinson Gordon Whitehead Carter Black Stanley Fletcher Richardson Iqbal Stephens Carroll
Murray Reynolds Dobson Birch Henderson Wright Wong Rice Austin Nelson Wood Lees Anderson Winter Marshall Porter
Woods Cunningham Harding Heath Russell Carr Bradshaw Grant Berry Wade Wilson Mitchell Knight Howell Armstrong
Ross Baldwin Stevens Griffiths Barnett Fuller Roberts Butler Kennedy Watkins Shaw Lamb Tomlinson Tucker Parsons
Wallis Watts Hooper Fox Nicholls Higgins Holmes Sanders Gill Holloway Dyer Payne Todd Lee Pugh Ashton Matthews
Stephenson Ryan Rhodes Wyatt Whittaker Hewitt Long Macdonald Cole Perry Hutchinson Hopkins Burrows Curtis Lane
Burton James Phillips Norris Banks Akhtar Cartwright Wells Morris Pope Griffin Howells Stone Ferguson Perkins
Hamilton Owen Simpson Johnson Blake Short Browne Coleman Miller Field Kemp Oliver Middleton Atkinson Allen Kirby
Hunt Wall Ford Kaur Hill Willis Riley Nicholson Collier Waters Holland Jennings Dawson Thorpe Ball Moss Miles
Webb Daniels Gilbert Doyle Yates Goodwin Moore Spencer Davis Walton Thomas Ahmed Page Lewis George Cox Byrne
Alexander Lloyd Connor Vaughan Howe Dixon Scott Hammond Bishop Webster Newton Barber Jones Hussain Sharp Martin
Rogers Singh Hayward Hunter Read Rose Holden Jarvis Preston Parry Cross Gregory Patel Sullivan Warren Cook
"""
    ),
)

"""Words everybody knows: names so frequent, and trades so general, that one is not a slip for another.

A typing error rarely turns one frequent name into another: "Schmitt" is not a misspelt "Schmidt" but another family,
and a construction firm is not a misspelt constructor. The same words tell little when two names share them.
Names in one entry are spellings of one name.
"""

from __future__ import annotations

from omnihub.fields.text import fold

_SURNAMES = """
burg; borg; bohr; bach; bache; buck; bucher; bischof bischoff; binder; bender; bauman; brauer; breuer; brunner;
bruner; burger; burgess; burke; byrne; carr; chapman; cameron; curtis; dean; dunn; duncan; ebert; eder; egger; ernst;
ferguson; fleming; fink; finke; fritz; gruber; grube; geiger; gerber; gerlach; haller; hess hesse; heller; hiller;
hofer; hoover; hooper; hopper; hudson; hutson; jost; just; kern; kirsch; kunz kuntz; kurz; lutz; lux; lauer; link;
linke; mann; marx; marks; mack; menzel; metz; metzger; michels; mohr; moser; noll; nolte; opitz; page; paige; pape;
pfaff; rau; rauch; reich; reiter; ritter; roth; rother; ruf; sachs; schell; schenk; schiller; schilling; schramm;
schott; schutz; seifert; sharp; stark; stahl; stoll; straub; strauss straus; ulrich; unger; urban; vetter; walter;
walther; waters; watts; webster; weigel; weiler; weller; wenzel; wirth; witt; witte; zander; zeller; doe; dow; down;
cooke; smith; smyth smythe; johnson; johnston johnstone; jones; jonas; james; williams; williamson; willis; wilson;
wilkins wilkinson; brown browne; braun; davis davies; davidson; miller; mueller müller; mills; taylor; tailor;
anderson; andersen; andersson; thomas; thompson thomson; jackson; white; harris; harrison; martin; martins; martinez;
martini; garcia; rodriguez rodrigues; robinson; robertson; roberts; clark clarke; lewis; lee; li; walker; hall; hill;
hull; allen allan; ellison; young; king; kings; wright; lopez lopes; scott; green greene; adams; adam; baker; barker;
becker; nelson; nielsen; nilsson; carter; mitchell; perez peres; turner; phillips philips; campbell; parker; evans;
edwards; collins; stewart stuart; sanchez; morris; morrison; rogers rodgers; reed reid; cook cooke; morgan; bell;
murphy; bailey; rivera; cooper; richardson; richards; richter; cox; howard; ward; torres; peterson; petersen;
pettersson; petrov; gray grey; ramirez; watson; brooks; kelly kelley; sanders; price; bennett; wood; woods; barnes;
ross; rose; henderson; coleman; jenkins; perry; powell; long; patterson; hughes; flores; washington; butler; simmons;
simon; simons; foster; gonzales gonzalez goncalves; bryant; alexander; russell; griffin; diaz dias; hayes hays; myers;
meyers; ford; hamilton; graham; sullivan; wallace; cole; west; jordan; owens owen; reynolds; fisher; fischer; ellis;
gibson; cruz; marshall; ortiz; gomez gomes; murray; freeman; wells; webb; simpson; stevens stephens; tucker; porter;
hunter; hunt; hicks; crawford; henry; boyd; mason; morales; kennedy; warren; dixon; ramos; reyes; burns; gordon; shaw;
holmes; rice; black; robert; daniel; daniels; palmer; walsh; welsh; moore; more; moor; lane; lang; lange; langer;
brandt brand; schmidt; schmitt; schmitz; schmied; schneider; schroeder schröder; schroeter schröter; weber; wagner;
wegner; werner; meyer meier maier mayer mayr; hofmann hoffmann hofman hoffman; schulz schultz schulze schultze; scholz
scholtz; koch; kock; bauer; bauers; klein; wolf wolff; neumann; naumann; schwarz schwartz; zimmermann; krüger krueger;
kruger; kröger; hartmann; hermann herrmann; hartwig; krause kraus krauss; kruse; lehmann; lohmann; köhler koehler;
kohl; kohler; maurer; könig koenig; huber; hubner hübner; kaiser; fuchs; peters; scholl; möller moeller; moller; weiss
weiß; jung; hahn; haan; haas; schubert; vogel; vogt; friedrich; keller; kellner; günther guenther; berger; bergmann;
berg; winkler; lorenz; baumann; baum; franke; frank; franz; schuster; albrecht; schumacher; winter; kraft; stein;
steiner; jäger jaeger; otto; sommer; gross groß; seidel; seidl; heinrich; haase hase; schreiber; schneyder; graf;
dietrich; ziegler; kuhn; kühn kuehn; kuhne kühne; pohl; paul; engel; engels; horn; busch; bush; buch; thiel; thiele;
voigt; sauer; arnold; pfeiffer pfeifer; bock; beck; böhm boehm; jansen janssen; hansen; hanssen; jensen; larsen;
larsson; pedersen; christensen; christiansen; rasmussen; sorensen; jorgensen; olsen; olson olsson; hagen; karlsson
carlsson; karlsen carlsen; eriksson ericsson; eriksen; persson; svensson; gustafsson; johansson; johansen; jonsson;
dubois; durand; dupont; dupuis; moreau; laurent; lefebvre lefevre; michel; bertrand; roux; vincent; fournier; morel;
girard; andre; mercier; blanc; blanchard; guerin; boyer; garnier; chevalier; francois; legrand; gauthier; perrin;
robin; clement; morin; nicolas; roussel; mathieu; gautier; masson; marchand; duval; denis; dumont; marie; lemaire;
noel; meunier; rossi; russo; rizzo; ricci; ferrari; ferraro; ferrara; esposito; bianchi; bianco; romano; romani;
colombo; marino; mariani; greco; bruno; gallo; galli; conti; conte; costa; giordano; mancini; lombardi; moretti;
barbieri; fontana; santoro; santos; caruso; rinaldi; leone; silva; silvestri; sousa souza; oliveira; pereira;
ferreira; fernandes fernandez; almeida; ribeiro; carvalho; teixeira; moreira; correia; mendes mendez; nunes nunez;
soares; suarez; vieira; monteiro; cardoso; rocha; castro; castillo; castellano; romero; alonso; alvarez; gutierrez;
navarro; dominguez; vazquez vasquez; gil; serrano; blanco; molina; moreno; ortega; delgado; rubio; marin; sanz;
iglesias; medina; garrido; cortes cortez; guerrero; lozano; cano; prieto; mendoza; herrera; herrero; ruiz; hernandez;
jimenez gimenez; munoz; vargas; marquez; marcos; rojas; salinas; saldivar; jansen; janssens; devries vries; bakker;
visser; smit; smits; meijer; deboer boer; mulder; bos; vos; hendriks; hendrix; dekker; dijkstra; dijk; vandijk;
smeets; jacobs; jacobsen; maes; mertens; martens; claes; claeys; willems; wouters; goossens; deboeck; nowak; novak;
nowakowski; kowalski; kowalczyk; wisniewski; wojcik; kaminski; lewandowski; zielinski; szymanski; wozniak; dabrowski;
kozlowski; jankowski; mazur; wojciechowski; kwiatkowski; krawczyk; kaczmarek; piotrowski; grabowski; pawlowski;
michalski; dvorak; svoboda; novotny; cerny; horvat horvath; kovac; kovacs; kovacevic; nagy; szabo; toth; varga; kiss;
molnar; nemeth; popescu; popa; ionescu; ivanov; ivanova; smirnov; kuznetsov kuznecov; popov; vasiliev; sokolov;
mikhailov; novikov; fedorov; morozov; volkov; alekseev; lebedev; semenov; egorov; pavlov; kozlov; stepanov; nikolaev;
orlov; andreev; makarov; nikitin; zakharov; zaitsev; shevchenko; bondarenko; kovalenko; tkachenko; kravchenko;
virtanen; korhonen; nieminen; makinen; makela; hamalainen; laine; koskinen; heikkinen; jarvinen; lehtonen; yilmaz;
kaya; demir; celik; sahin; yildiz; yildirim; ozturk; aydin; ozdemir; arslan; dogan; kilic; aslan; cetin; kara; koc;
kurt; nguyen; tran; pham; hoang; huynh; vu; vo; dang; bui; ngo; wang; zhang; chang; liu; chen; yang; huang; zhao;
zhou; chou; wu; xu; sun; zhu; hu; guo; lin; luo; liang; song; tang; han; feng; deng; cao; peng; zeng; xiao; tian;
dong; pan; yuan; cai; jiang; yu; ye; cheng; kim gim; park pak; choi choe; chung jung jeong; kang gang; cho jo; yoon
yun; jang; lim im; shin sin; kwon gwon; hwang; ahn; sato satoh; suzuki; takahashi; tanaka; watanabe; ito itoh;
yamamoto; yamada; nakamura; kobayashi; kato katoh; yoshida; sasaki; yamaguchi; matsumoto; inoue; kimura; hayashi;
shimizu; singh; sharma; kumar; patel; gupta; khan; shah; das; reddy; rao; joshi; mehta; verma varma; mishra misra;
nair; iyer; chowdhury choudhury chaudhary; banerjee; mukherjee; chatterjee; ali; ahmed ahmad; hussain hussein husain;
hassan hasan; rahman; malik; sheikh shaikh; ibrahim; khalil; saleh; mansour; haddad; khoury; cohen; levy levi;
mizrahi; peretz; katz; friedman friedmann; goldberg; goldstein; goldman; rosenberg
"""

# Given names that `nicknames` doesn't have; spellings in other alphabets and languages on one line.
_GIVEN = """
joan; june; julian julien; juliana; julius; dora; doris; ada; ida; eda; edna; etta; nell; nora; cora; flora; clive;
mabel; maude maud; myra; mona; rhoda; roy; ray; guy; gwen; hilda; hugh; ivy; jared; kay; kai; kyra; leif; lara; luise;
marta; mats; mira; milan; nico; norma; orla; otis; pia; ralf; reto; rico; rolf; sara; sonja; tilo; timo; tom; ulf;
urs; vito; wolf; jade; jodie; josef; lois; lorna; lou; lynne; may; mae; nadja; nate; neville; paola; ricarda; rupert;
russel; stacey stacy; stacy; toby; una; verena; viola; wayne; wes; willa; wyatt; barry; garry; perry; colin; kevin;
calvin; melvin; alvin; ronja; sonny; danilo; emil; emile; ernesto; evan; ewan; mohammed muhammad mohamed mohammad
mohamad muhammed mohd mohammod muhamad maxamed; ahmed ahmad achmed akhmed ahmet; mehmet; mahmoud mahmud mahmood; hamid
hameed; hussein hussain husain husayn husein hossein; hassan hasan; ali aly; omar umar omer; osama usama; yusuf
youssef yousef yousuf jusuf youcef; ibrahim ebrahim; ismail ismael esmail; abdullah abdallah abdulla abdellah; khalid
khaled; mustafa mostafa moustafa mustapha; said saeed saied sayed; tariq tarek tarik; karim kareem; rashid rasheed
rachid; jamal gamal djamal; nasser nasir naser; salim saleem selim; faisal faysal feisal; bilal; hamza; amir ameer;
aisha ayesha aysha; fatima fatma fatimah fatemeh; khadija khadijah hatice; zainab zeynep zaynab; maryam meryem mariam
miriam; leila layla laila leyla; yasmin yasmine jasmin jasmine yasemin; yuri iurii yury juri yuriy jurij iouri;
yevgeny evgeny evgeni evgenij yevgeni evgenii jewgeni; aleksei alexei alexey aleksey oleksii oleksiy; andrei andrey
andrij andriy; nikolay nikolai nikolaj mykola; anatoly anatoli anatolij; arkady arkadi arkadii; boris borys; gennady
gennadi; grigory grigori hryhorii; igor ihor; ivan iwan; leonid; lev; maxim maksim maksym; oleg oleh; pavel pavlo;
roman; ruslan; stanislav stanislaw; valery valeri valeriy valerij; vasily vasili wassili vasyl; viktor; vitaly vitali
vitaliy; vladislav wladislaw vladyslav; vyacheslav wjatscheslaw viacheslav; yaroslav jaroslav; alyona alena aljona
olena; ekaterina yekaterina jekaterina kateryna; elena yelena jelena; irina iryna; ksenia xenia ksenija oksana;
lyudmila ludmila ljudmila; lyubov ljubow; marina; nadezhda nadeschda; natalya natalia nataliya natalja; olga olha;
oxana; polina; svetlana swetlana; tatiana tatjana tatyana; yulia julija iuliia yuliya; zhanna; angela; angelo; ante;
antje; anouk; aaron; abigail; adam; adrian adrien; adriana; aidan; alan allan allen; albert alberto; alejandro;
alessandra; alex; alexis; alison; alina; alois; alvaro; amanda; amelia; amy; ana; andrea; angelika angelica; anja;
annette; annika; armin; astrid; ashley; axel; barack; bettina; bernadette; birgit; bjorn; bogdan; bradley; brandon;
brenda; brian bryan; bridget; bruce; bruno; cameron; camille; carla karla; carol; carolina; carlo; carlos; cecilia
cecile; cesar; chiara; chloe; christa; ciara; clara klara; clemens; cornel; craig; cristiano; cynthia; dagmar; damian
damien; daniela danielle; dario; denis dennis; denise; derek; desmond; detlef; diana diane; diego; dirk; dorian;
douglas; duncan; dylan; eduard; egon; elaine; elias; eliot elliot elliott; elke; ella; emilia; emilio; emma; enzo;
eric; erika erica; erin; erwin; etienne; eugenia; evelyn; fabian; fabio; felix; felipe; fernando; fiona; francine;
gabriella; gary; geraldine; gilbert; gina; giorgia; giorgio; gisela; giulia; glenn; gloria; graham; greta; guido;
hakan; hannah; harriet; hector; heike; heather; heiko; helga; helmut hellmut; hugo; ian iain; ilona; ines; ingrid;
ivo; jana; janine; jason; jasper; jens; jeroen; jerome; jochen; joel; jonas; jordan; jorge; judas; justin; karin;
karl; karsten carsten; katie; keith; kerstin; kim; kirsten; knut; kurt; kyle; larissa; leah; leila; lena; leslie;
lidia lydia; lila; lilian lillian; linda; linus; lionel; lisa; lorenzo; lothar; luca; lucia; lucy; luis; luna; lynn;
malte; manuela; marcela; marcia; maren; mario; marion; marlene; marlon; martina; marvin; maja maya; megan; miguel;
miriam; mirko; miroslav; monique; morgan; moritz; muriel; nadia nadja; nadine; neil neal; nelson; nigel; niels nils;
nina; noah; noel; norman; olaf; olga; olivia; ottmar; otto; owen; pablo; pascal; pauline; pedro; pekka; petra;
petteri; pierre; quentin; ralf ralph; ramon; ravi; rami; raul; regine; reinhold; rene; rita; roberta; rodrigo; rosa;
rosemary; ross; ruben; ruth; ryan; sanjay; saul; scott; sean shaun shawn; selina; serena; selma; sergio; shane;
sharon; sheila; shirley; silke; silvio; simone; sofie; sonja sonia sonya; stella; steffi; stuart stewart; sven;
tamara; tanja tania tanya; tara; tatjana; tessa; thilo tilo; tilda; tina; torsten thorsten; tracy; trevor; tristan;
ute; uwe; vanessa; vera; vicente; vivian vivien; volker; wanda; wendy; wendelin; wilfried; winston; xenia; yann;
yasin; yolanda; yves; zoe; satoshi; hiroshi; kenji; takashi; akira; haruto; yuki; sakura; keiko; yoko; wei; ming;
jing; li; min
"""

_TRADES = """
academy; accounting; advisors advisers advisory; aerospace; affairs; africa; agency; agricultural agriculture agrar;
airlines airways; america american americas; analytics; apparel; appliances; architects architecture; art arts; asia
asian; assets asset; associates; association; auto automotive automobile; aviation; bakery; bank banking banca banco
banque; bau; beauty; beverage beverages; biotech biotechnology; books; brand brands; brewery brewing; broadcasting;
brothers; building buildings; business; cab; cafe; capital; cargo; care; casino; catering; cement; center; central;
chemical chemicals chemie chimie; church; cleaning; clinic; clothing; club; coal; coffee; college; commerce;
commercial; commission; committee; commodities; communication communications; community; components; computer
computers; computing; construction constructions; constructors contractors; consult consulting consultants consultancy
beratung; controls; cosmetics; council; county; credit; data; defence defense; delivery; dental; department; design
designs; deutsche german; development developments; digital; distribution distributors; east eastern; education
educational; electric electrical electricity; electronic electronics elektronik; elektro; elementary; energy energie
energia; engineering; enterprise enterprises; entertainment; equipment; estate estates; europe european europa;
exchange; export exports; factory; family; farm farms farming; fashion; federal; federation; film films; finance
financial finanz finanzas; first; fitness; food foods; forest forestry; foundation stiftung; freight; fuel; fund
funds; furniture; gallery; games gaming; garden gardens; gas; general; generation; glass; global; gold; golf;
government; group; hair; handel handels; health healthcare; heating; heavy; helicopters; high; holding; home homes;
hospital; hotel hotels; house; housing; imaging; immobilien; import imports; industrial industriel industrie;
industries; information; infrastructure; innovation innovations; institute institut; insurance assurance assurances
versicherung; integrated; international internacional internationale; investment investments invest investors; iron;
italia; jewelry; junior; kindergarten kita; laboratories; labor; land; language; laundry; law; lease leasing;
learning; legal; leisure; life; light lighting; limousine; liquor; litigation; live; localization; locations;
logistics logistik logistica; machine machines; machinery maschinen; maintenance; management; manufacturer
manufacturers; manufacturing; marine; maritime; market markets; marketing; maschinenbau; materials; mechanical; media;
medical medizin; metal metals metall; micro; military; mining; mobile; mobility; motor motors; museum; music; mutual;
national nacional nationale; natural; network networks; new; north northern nord; nursery; nursing; office; oil;
optical optics; organization; packaging; paper; park; parking; partners partner; parts; payment payments; people;
personal; petrochemical; petroleum; pharma pharmaceutical pharmaceuticals; pharmacy apotheke; photo photography;
pipeline pipelines; pizza; plant plants; plastics plastic; police; port; post; power; precision; preschool; press;
primary; printing; private; production productions; products; professional; project projects; promotion; properties
property; public publishing; publications; radio; railroad; railway railways; real; realty; recovery; recruitment;
refinery; regional; rental rentals; repair; republic; research; resource resources; restaurant; retail; royal; rubber;
safety; saint; sales; salon; savings; school schule; science sciences scientific; sea; secondary; security;
securities; semiconductor semiconductors; senior; services; shipping; shop; shopping; social; society; software;
solar; solutions; south southern; spa; space; special; sports sport; staffing; standard; star; state states; station;
steel stahl; storage; store stores; street; studio studios; supermarket; supplies supply; surgery; sushi; sustainable;
systems; tax; taxi; team; technical; technik; technology; telecom telecommunication telecommunications; television;
textile textiles; theater theatre; tire tires; tobacco; tool tools; tour tours tourism; town; toys; trade trading;
traffic; training; transport transportation transports; travel; treasury; treaty; trust; union; united; university;
urban; utilities; vehicle vehicles; ventures venture; verein; vision; wealth; water; web; wellness; west western;
wholesale; wind; wine wines; wire; wireless; wood; works werke werk; world; yacht; youth
"""

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_NUMBERS_DE = "null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf"


def _families(table: str) -> dict[str, str]:
    """Folded word → the first word of its entry."""
    found: dict[str, str] = {}
    for entry in " ".join(table.split()).split(";"):
        spellings = fold(entry).split()
        for spelling in spellings:
            found.setdefault(spelling, spellings[0])
    return found


SURNAMES = _families(_SURNAMES)
GIVEN = _families(_GIVEN)
TRADES = _families(_TRADES)

NUMBER_WORDS = {
    **{word: number for number, word in enumerate(_NUMBERS.split())},
    **{word: 10 * number for number, word in enumerate(_TENS.split(), start=2)},
    **{word: number for number, word in enumerate(_ORDINALS.split(), start=1)},
    **{word: number for number, word in enumerate(_NUMBERS_DE.split()) if number > 1},
    "fourty": 40,
}
"""Folded number word → its value."""


def one_entry(table: dict[str, str], a: str, b: str) -> bool:
    """Whether two folded words are spellings of one entry of a table.

    >>> one_entry(SURNAMES, "meyer", "maier"), one_entry(SURNAMES, "schmidt", "schmitt"), one_entry(GIVEN, "xq", "xq")
    (True, False, False)
    """
    return a in table and table[a] == table.get(b)

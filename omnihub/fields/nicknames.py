"""Given names: nicknames and spellings led back to one name (Bob → robert), and initials.

Diminutives and spellings within a language, not translations: Hans is Johannes, but Juan is not John.
A nickname of several names (Alex, Chris) goes with the most frequent one; the scoring is soft enough for the rest.
"""

from __future__ import annotations

from omnihub.fields.text import fold, words

# canonical: everything that leads to it. Written with umlauts and accents, folded on loading.
_TABLE = """
agnieszka: aga agusia
alessandro: sandro
alexander: alex aleks alec xander sascha sasha lex alexandr aleksander aleksandr olek
alexandra: alexa aleksandra lexi
alfred: alf alfie
alice: allie
andreas: andi andrej
andrew: drew andie andy
andrzej: jędrek
anna: anni annie änne anneli ania hania anka anya
anneliese: annelies liesel
anthony: tony antony
antoine: toine
antoinette: toinette
anton: toni antoni antek
antonia: tonia
antonio: tonino nino toño
arthur: art artur
barbara: babs barb barbie bärbel babsi basia barbro
bartholomew: bart
bartłomiej: bartek bartosz
beatrice: bea beatrix trixi beatriz
benedikt: beni
benjamin: ben benny benni benji
bernhard: bernd berni bernard bernie bernt
brigitte: gitte gitta biggi
burkhard: burkhardt
carl: karl kalle
carmen: menchu
caroline: carolin karoline karolin caro karo carrie
catherine: katherine kate kathy cathy katie kat katharine kathryn cathryn katy kit kitty
charles: charlie chuck charley chas charly charlot
charlotte: lotte lotta lottie
christian: chris christer kristian cristian
christine: christina kristina kristin christin tina chrissie krystyna krysia christel kristiina cristina christl
christopher: christoph kristoffer christophe kristopher topher krzysztof krzysiek
claudia: klaudia claudie
concepción: concha conchita
conrad: konrad conny
consuelo: chelo
cornelia: nele
cornelius: cornelis kees
daniel: dan danny dani
david: dave davy davey dawid
deborah: debbie deb debra
dieter: dietrich
dmitri: dmitry dmitrij dima mitja
dolores: lola
domenico: mimmo
dominik: dominic dom
dominique: domi
donald: don donnie
dorothea: dorothee dörte dorothy dot dottie thea
edmund: edmond
eduardo: lalo
edward: ed eddie ted teddy ned eduard edu
eleanor: ellie nell eleonore elinor eleonora
elisabeth: elizabeth liz lizzy lizzie beth betty bess eliza lisa lise elise elsa else ilse lisbeth liesbeth
    betsy lisbet elżbieta ela
emanuel: emmanuel manu immanuel
emily: em emmy emilie
enrique: quique kike
erik: eric erich eryk ecke
ernst: ernest ernie
esther: ester
eugene: gene eugen
eva: evi ewa ewka
ewa: ewunia
ferdinand: ferdi fernand
florian: flo flori
frances: fran franny fanny
francesca: franca
francesco: franco ciccio cecco
francis: frankie
francisco: paco pancho curro
frank: franck
franz: franzl frantz
franziska: franzi
françois: francois
frederick: fred freddie freddy frederic
friederike: rike ricke
friedrich: fritz fredrik fryderyk
gabriel: gabe
gabriele: gabi gaby gabriela gabrielle
georg: schorsch george georges jerzy jurek
gerald: gerry gerard gerold gerrit gérard
gerhard: gerd gert geert gerhardt
gertrud: gertrude trude traudl trudi
giovanni: gianni vanni
giuseppe: beppe peppe pino peppino geppetto
grace: gracie
gregory: greg gregor grzegorz grzesiek
guadalupe: lupe
gudrun: gudi
guillermo: memo
gustav: gustaf gus kustaa
günter: günther guenter gunter gunther
hanspeter: hape
harold: harry hal harald
heidemarie: heidi
heinrich: heinz heini heiner hinrich henrik hendrik henk
helene: helen helena lena leni hélène
henrietta: henriette hetty
henry: hank
herbert: herb herbie heribert
herman: hermann hermanni
hildegard: hilde hilda
hubert: hubi hubertus
ignacio: nacho ignaz ignatius
ingeborg: inge inga
irene: iréne
isabel: isabella isabelle izabela bella isa
jacob: jake jakob jacobus kuba jakub jaki jackl
jacqueline: jacky jackie
james: jim jimmy jamie jem jimbo
jan: janek jaś
jane: janie jayne
janet: janette
javier: xavier javi xavi
jean: jeannot
jeffrey: jeff geoff geoffrey jeffery
jennifer: jen jenny jenni jennie
jeremy: jerry jeremiah jeremias
jessica: jess jessie
jesús: chus chucho
joachim: jochen achim joakim jochim
joanna: joanne johanna hanna asia
johannes: hans hannes johann hansi hänsel johan hannu
john: jack johnny jon jonny johnnie
jonathan: jonathon
jose: pepe josé pepito
josef: joseph joe jupp sepp seppl joey beppo józef josip
josephine: josie josefine josefa fina josy
joshua: josh
juan: juanito
judith: judy judi
juhani: jussi
julia: julie juli julka
jutta: jutte
jörg: jörk
jürgen: jörgen göran
karen: karena
katariina: katri
katharina: katja kathi käthe kathrin katrin katarina katrina trine kati katarzyna kasia kaśka käthi
kenneth: ken kenny
kevin: kev
kimberly: kim
klaus: claus klas klausi
konstantin: costa kostas konstantinos constantin
lars: lasse
laura: laurie lori
laurent: laurence
lawrence: larry lorenz laurentius lauri
leonard: leo len lenny leonhard leonardo
leopold: poldi
louis: luis lou louie lewis
louise: luise luisa
ludwig: lutz ludvig luggi wiggerl
luigi: gigi
lukas: lucas luke luca łukasz
magdalena: magda madeleine magdalene
manfred: manni mannfred
manuel: manolo
marcel: marcello
margaret: maggie meg peggy margie marge madge greta margarete margarethe margot grete gretel małgorzata gosia
    margareta marguerite marketta
maria: mitzi marysia marja
mark: marc markus marcus marco marko
martha: marta marthe
martin: marty martti marten mårten martl
mary: molly polly mamie
mateusz: mateo matteo
matthew: matt matty mathew
matthias: mathias matti mattias matze matheus masa
maurice: moritz maurizio mauricio mo
maximilian: max maxi maksymilian maxl
melanie: mel melani
mercedes: merche
michael: mike mick mickey micha mikey michel mikael michal michał michail mikhail mischa misha michi michaś
    micke
michaela: micky mikaela
monika: monica moni
natalie: nathalie nat natalia natasha natascha
nathaniel: nate nathan
nicholas: nick nicky nico niko nicolas nickolas
nicole: nicki nikki nicol
nikolaus: nikolas niklas niclas klaas nikolai mikołaj
norbert: nobby norb
oliver: ollie oli olivier
oscar: oskar ossi
pamela: pam pammy
patricia: pat patty patti trish tricia patrizia pati
patrick: paddy patrik patryk
paul: paulus pauli pavel paweł pawełek
paula: paulina pauline
per: pelle
peter: pete petr piotr pit peer petter pjotr piotrek
philip: phil phillip philipp pip philippe filip pippo
pilar: pili
rachel: rach rachael raquel rahel
rafael: raphael rafał raffi raf raffaele rafa
rainer: reiner rainier
raymond: ray raimund
rebecca: becky rebekka becca becki
regina: gina regine
reinhard: reinhardt reinhart
renate: reni renata
richard: rick rich dick ricky richie dickie ritchie riccardo ricardo ryszard rico
robert: bob bobby rob robbie bert robby bobbie roberto
roberto: beto
roger: rodger rog
roland: rolli
ronald: ron ronnie ronny
rosario: charo
rosemarie: rosi rosie romy rosemary
rudolf: rudi rudolph rudy
russell: russ rusty
rüdiger: rudiger
sabine: bine sabina
salvatore: totò
samantha: sammi
samuel: sam sammy
sandra: sandy
santiago: santi
sarah: sara sally sadie
sebastian: seb basti sebastien bastian wastl bastien
sergei: sergey sergej serge serhij
siegfried: sigi siggi sigfrid zygfryd
sigrid: siri
simon: simeon si szymon
sophie: sofie sophia sofia zofia zosia soph
stanisław: staszek stach
stanley: stan
stefan: stephan steffen stefano stéphane stépane szczepan steff
stefanie: stephanie steffi stefania stéphanie
stephen: steven steve stevie
susanne: susan sue susanna suzanne susi susie suzy zuzanna susann suse zuza
sylvia: silvia sylwia sylvie
tadeusz: tadek
terence: terry terrance
teresa: theresa tess tessa therese resi theresia thérèse
theodor: theo theodore teodor theodorus
thomas: tom tommy tomas tomasz tomek tommaso tuomas thom
timothy: tim timmy timotheus timo tymoteusz
tobias: tobi toby tobiasz
ulrich: uli ueli ulli utz ulrik
ulrike: ulrika
ursula: uschi ulla urszula ursel ursi ula
valentin: valentino walenty vali
valerie: val valeria
veronika: vroni veronica weronika
victor: vic viktor vik wiktor
victoria: vicky vicki viktoria tori wiktoria viki
vincent: vince vinny vincenzo vicente vinzenz wincenty
virginia: ginny ginger
vladimir: wladimir vova włodzimierz volodymyr wolodymyr
véronique: véro
waldemar: waldi
walter: walt wally walther walti
werner: wernher
wilhelm: willi willy wim willem vilhelm wilhelmus
wilhelmina: wilma mina
william: bill billy will willie liam
wojciech: wojtek
wolfgang: wolf wolfi
xaver: xaverl
yvonne: ivonne
zachary: zach zack zak
zbigniew: zbyszek
"""

# Short in writing only, as clerks and old registers have them (Wm. for William); dots are dropped.
_WRITTEN = """
alexander: alexr alexdr
andrew: andw andr
archibald: archd
arthur: arth
augustus: augs
bartholomew: barthw
benjamin: benjn benja
catherine: cath cathr
charles: chas chs
christian: chrn
christopher: chr chrisr xpher xtopher
daniel: danl
david: davd
deborah: debh
edmund: edmd
edward: edw edwd
elisabeth: eliz elizth elizh elisabth
ezekiel: ezekl
francis: frans francs
frederick: fredk fredc
gabriel: gabl
george: geo geoe
gilbert: gilbt
gregory: gregy
henry: hy henr
isaac: isc
james: jas jms
jeremy: jery
john: jno jn jhn
jonathan: jonn jonath
josef: jos josh
lawrence: laur lawr
leonard: leond
margaret: margt margrt
matthew: mattw matw
michael: michl micl mich
nathaniel: nathl nath
nicholas: nichs nics
patrick: patk
peter: petr
philip: phil philp
rebecca: rebca
richard: richd rd ric
robert: robt rob
samuel: saml
sarah: sarh
simon: simn
stephen: stephn
theodor: theo
thomas: thos tho
timothy: timy
valentin: valentn
walter: walt waltr
william: wm willm wilm
zachary: zachy
"""


def _load() -> dict[str, str]:
    """Folded nickname → folded name."""
    found: dict[str, str] = {}
    for entry in _TABLE.replace("\n    ", " ").strip().splitlines() + _WRITTEN.strip().splitlines():
        name, _, nicknames = entry.partition(":")
        canonical = "".join(words(name))
        for nickname in nicknames.split():
            found.setdefault("".join(words(nickname)), canonical)
    return {nickname: found.get(name, name) for nickname, name in found.items()}  # beto → roberto → robert


_GIVEN = _load()

# Nicknames of several names, beyond the most frequent one that `given` leads to. Only for comparing.
_ALSO = """
alex: alexandra alexis alejandro; andy: anders andreas; ben: benedikt bernhard; bert: albert herbert bertram; bibi:
benjamin birgit; bill: wilhelm; bob: bogdan; carol: caroline; chris: christine christopher; dan: danielle; danny:
daniela; ed: edmund edgar edwin; ellie: elisabeth; fran: francesca francis; gabi: gabriel; gerry: gerhard; gus: august
angus; hal: henry; harry: henry; ina: katharina martina; jack: jacob; jake: john; jan: johannes janet; jerry: gerald
jerome; jim: joachim; jo: joseph josephine joanna; joe: jonas johannes; jon: jonathan; kate: katharina; kathy:
katharina kathleen; kim: kimberly joachim; larry: lars laurent; lena: magdalena elena; leo: leopold lev leon; lisa:
elisabeth; liz: elisa; lu: louis louise ludwig; maggie: magdalena; marge: margarete; max: maxim; mia: maria; micha:
michaela; mike: miguel; mick: michaela; mo: mohammed; molly: margaret; nick: dominik nikolaus; nicky: nicole; nina:
antonina; pat: patricia patrick; pete: pedro; pip: peter; ray: rainer rachel; rick: frederick erik; ricky: enrique;
robin: robert; ron: aaron roland; rudi: rudiger; sam: samantha; sandy: alexander alexandra; sasha: alexandra; sascha:
alexandra; seb: eusebius; sid: sidney; steph: stefan stephen; steve: stefan; sue: suzanne; ted: theodor; teddy:
theodor; tim: timur; tina: martina bettina valentina; toni: antonia; tony: antonio antoine; tom: tomislav; ulli:
ulrike; uli: ulrike; val: valentin; vic: victoria; vicky: veronika; will: wilhelm; willi: william; zsa: susanne; jas:
james
"""


def _also() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for entry in " ".join(_ALSO.split()).split(";"):
        nickname, _, names = entry.partition(":")
        word = nickname.strip()
        found[word] = frozenset(given(name) for name in [word, *names.split()])
    return found


def meanings(word: str) -> frozenset[str]:
    """All the names a folded given name may stand for.

    >>> sorted(meanings("ted")), sorted(meanings("pekka"))
    (['edward', 'theodor'], ['pekka'])
    """
    return _MEANINGS.get(word) or frozenset({_GIVEN.get(word, word)})


CANONICAL = frozenset(_GIVEN.values())
"""The names that nicknames lead back to."""


def given(value: str) -> str:
    """What the forms of one given name share; a middle name or initial behind the first name doesn't count.

    >>> [given(name) for name in ("Bob", "Robert J.", "Hannes", "Uli", "Katie", "Käthe", "Hans-Peter", "Pekka")]
    ['robert', 'robert', 'johannes', 'ulrich', 'catherine', 'katharina', 'hanspeter', 'pekka']
    """
    tokens = value.split()
    if not tokens:
        return ""
    first = next((token for token in tokens if len(token.strip(".")) > 1), tokens[0])
    word = "".join(words(first)) or first.casefold()
    return _GIVEN.get(word, word)


def initial_of(a: str, b: str) -> bool:
    """Whether one of the two is only the initials of the other; nicknames count too.

    >>> initial_of("J.", "John"), initial_of("R.", "Bob"), initial_of("J.P.", "Jean-Pierre"), initial_of("Jo", "John")
    (True, True, True, False)
    """
    short, long = sorted((a, b), key=len)
    letters = _initials(short)
    if letters is None or _initials(long) is not None:
        return False
    parts = words(long)
    spelled = "".join(part[0] for part in parts)
    return bool(parts) and (spelled.startswith(letters) or letters == given(long)[:1])


def _initials(name: str) -> str | None:
    """The letters of a name that is nothing but initials ("J.", "J.P.", "J P"), folded."""
    parts = words(name)
    if not parts or any(len(part) > 1 for part in parts):
        return None
    return fold("".join(parts))


_MEANINGS = _also()

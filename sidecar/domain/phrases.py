"""What mail systems write when they write in words: phrases by what they tell.

Knows the wording, in the languages that mail systems speak. Does not know how a notice is built, nor what a
failure means for the recipient: that stands in rules/*.toml. A phrase is lower case with single blanks and is
looked for in text made the same way, so that line breaks and capitals are no matter.
"""

__all__ = [
    "AWAY",
    "CHALLENGE",
    "DELIVERED",
    "FAILURE",
    "FAILURE_SUBJECT",
    "HEADING",
    "READ_SUBJECT",
    "STILL_TRYING",
    "VACATION",
]


def _phrases(block: str) -> tuple[str, ...]:
    return tuple(phrase for line in block.split("\n") for phrase in line.strip().split(" | ") if phrase)


#: Written where delivery failed. Enough beside a sender or a subject that is a mail system's, never alone.
FAILURE = _phrases("""
    could not be delivered | couldn't be delivered | couldn’t be delivered | cannot be delivered
    can not be delivered | can't be delivered | could not deliver | couldn't deliver | cannot deliver
    can't deliver | not able to deliver | wasn't able to deliver | wasn’t able to deliver
    unable to deliver | was not delivered | wasn't delivered | wasn’t delivered | not been delivered
    not be delivered | were not delivered | was undeliverable | is undeliverable | undeliverable to
    undeliverable mail | undelivered mail | undelivered message | non-deliver | nondeliver
    no valid recipients | not a valid user | delivery has failed | delivery failed | delivery failure
    delivery problem | delivery error | delevery to the following | delivery to the following
    delivery of the following | delivery attempts | failed permanently | failed to deliver | failed to send
    failed recipients | failed addresses | failure notice | failure reasons | failed recipient
    fatal errors | error delivering | error while delivering | error-for:
    an error has occurred while attempting to deliver | a message is delayed | had trouble delivering
    problem delivering | problems delivering | did not reach the following | did not reach
    has not been received by | does not like recipient | did not exactly match | had delivery errors
    has been returned | returned to sender | returned mail | being returned | returning message to sender
    was rejected by | has been rejected | was automatically rejected | automatically rejected | was rejected
    rejected the following recipient | rejected recipient | refused by | wasn't sent | could not be sent
    not accepted | address not found | no such user | unknown user | user unknown | user not known
    mailbox unavailable | mailbox is full | mailbox full | mailbox exceeds | over quota
    invalid final delivery user | no longer valid | no longer active | incorrectly constructed
    malformed recipient | transcript of session | session transcript | not a member of this mailing list
    may not exist, or you may not have permission | error(s): | error message below | giving up on
    i've given up
    nicht zugestellt | unzustellbar | konnte nicht übermittelt | konnte nicht gesendet
    zustellung fehlgeschlagen | fehler bei der zustellung | zustellfehler | nicht erreicht
    nicht ausgeliefert
    n'a pas pu être | n’a pas pu être | n'a pu être | n'ont pas pu | échec de la remise | échec de remise
    non remis | non distribu | non délivr | pas été délivré | pas été remis | pas été distribué
    impossible de remettre
    no pudo ser entregado | no se pudo entregar | no se ha podido entregar | no se ha entregado
    no ha podido ser entregado | no ha sido entregado | error en la entrega | error de entrega
    no se entregó | no se encontró la dirección | no se pudo enviar
    não pôde ser entregue | não foi entregue | não foi possível entregar | nao pode ser entregue
    nao foi possivel entregar | falha na entrega | falha ao entregar | endereço não encontrado
    non è stato possibile consegnare | non è stato recapitato | non è stato consegnato | non recapitabil
    mancata consegna | impossibile recapitare | impossibile consegnare | recapito non riuscito
    indirizzo non trovato
    niet worden bezorgd | niet worden afgeleverd | niet bezorgd | niet afgeleverd | bezorging mislukt
    onbestelbaar | kan niet worden verzonden
    nie została dostarczona | nie zostala dostarczona | nie mogła zostać dostarczona | nie można dostarczyć
    nie mozna dostarczyc | nie udało się dostarczyć | nie dostarczono | niedostarczona
    nie odnaleziono adresu
    не доставлено | не доставлен | не может быть доставлен | не могло быть доставлен | не было доставлен
    не удалось доставить | невозможно доставить | не удаётся доставить | недоставлен | адрес не найден
    не вдалося доставити
    nelze doručit | nebylo možné doručit | nebyla doručena | nepodařilo doručit | nepodařilo se doručit
    nedoručiteln | nepodarilo doručiť | kunde inte levereras | gick inte att leverera
    kunde inte skickas | nu a putut fi livrat | nu a fost livrat | kézbesítése nem sikerült | iletilemedi
    kunne ikke leveres | blev ikke leveret | ble ikke levert | ei voitu toimittaa | teslim edilemedi
    nem kézbesíthető
    配信できません | 配信できなかった | 配信不能 | 配送できません | 配達できません | 送信できません
    送信できなかった | 送信に失敗 | 配送に失敗 | 配信に失敗 | お届けできません
    届けることができません | 送信先メールアドレスが見つかりません | アドレスが見つかりません | エラー(
    无法投递 | 投递失败 | 无法送达 | 无法递送 | 未能送达 | 退信 | 无法发送 | 发送失败 | 找不到地址
    無法傳遞 | 無法投遞 | 無法傳送 | 無法寄達 | 退件
    전달되지 못했습니다 | 전송하지 못했습니다 | 배달되지
""")

#: Subjects of failure notices, for mails whose sender does not tell.
FAILURE_SUBJECT = _phrases("""
    failure notice | delivery failure | delivery failed | delivery status notification
    delivery notification | delivery report | delivery error | delivery problem | delivery has failed
    delivery unsuccessful | undeliver | undeliverable | non delivery | non-deliver | nondeliver | non remis
    returned mail | mail returned | returned to sender | returning to sender | returning message
    mail delivery | mail error | mail system error | mail failure | mail failed | failed mail
    failed delivery | message delivery | message not delivered | mail not delivered | not delivered
    could not be delivered | couldn't be delivered | could not deliver | cannot be delivered
    unable to deliver | automatically rejected | message rejected | mail rejected | rejected: | bounced
    user unknown | unknown user | not member | warning: message | warning: could not send | delayed mail
    dsn: | ndn: | ndr: | [postmaster] | unzustellbar | nicht zugestellt | nicht zustellbar | zustellung
    non remis | non distribu | échec de la remise | échec de remise | no se puede entregar | no entregado
    error de entrega | fallo en la entrega | não entregue | não é possível entregar | falha na entrega
    mancata consegna | non recapitabile | onbestelbaar | niet bezorgd | niedostarczaln | niedostarczon
    nie dostarczono | nedoručen | nedoručitel | vrácen | doručení se nezdařilo | kunde inte levereras
    kunne ikke leveres | ikke leveret | ikke levert | ei voitu toimittaa | toimitus epäonnistui
    kézbesíthetetlen | teslim edilemedi | iletilemedi | nelivrat | недоставлен | не доставлен
    не может быть доставлен | отчёт о доставке | 配信不能
    配信できません | 配送できません | 送信できません | エラーメール | 送信エラー | 配信エラー | 退信
    投递失败 | 无法送达 | 未送达 | 未傳遞 | 無法傳遞 | 無法寄達
""")

#: Written where the mail system has not given up.
STILL_TRYING = _phrases("""
    has been delayed | is delayed | message delayed | delayed for more than | not yet been delivered
    has not been delivered yet | will be retried | will keep trying | will continue to try
    attempts will continue | continue to be made | still being attempted | need to resend | need to re-send
    warning message only | could not be delivered yet | only a temporary failure
    no action is required on your part | deferred and will be | noch nicht zugestellt
    n'a pas encore été remis | n'a pas encore | todavía no se ha entregado | ainda não foi entregue
    non è stato ancora | nog niet afgeleverd | nie została jeszcze dostarczona | ещё не доставлен
    まだ配信されていません | 尚未送达
""")

#: Written where the mail arrived.
DELIVERED = _phrases("""
    was successfully delivered | has been successfully delivered | were successfully delivered
    your message was successfully | successful mail delivery report | successfully relayed to
    has been delivered to the following | was delivered to the following | wurde erfolgreich zugestellt
    wurde zugestellt | a été remis à | se entregó correctamente | доставлено успешно
""")

#: Announces the list of recipients that failed; what stands before it are names of other mail.
HEADING = _phrases("""
    following recipient | following address | following destination | following user
    following e-mail address | following email address | following person | following people
    following mailbox | these recipients | failed recipient | failed address | failure reasons
    addressed to: | was not delivered to | wasn't delivered to | was unable to deliver your message to
    unable to deliver message to | could not be delivered to | couldn't be delivered to
    error delivering your mail to | undeliverable to | recipients were affected | the address to which
    transcript of session | folgenden empfänger | folgende empfänger | folgende adresse | folgenden adresse
    destinataires suivants | ces destinataires | destinataire suivant | adresses suivantes
    siguientes destinatarios | siguiente destinatario | estos destinatarios | destinatários a seguir
    estes destinatários | seguintes destinatários | seguenti destinatari | questi destinatari
    volgende geadresseerden | volgende ontvangers | deze geadresseerden | następujących adresatów
    tych adresatów | следующим получателям | следующих получателей | этим получателям | следующим адрес
    následujícím příjemcům | následující příjemc | těmto příjemcům | následujícím adresátům
    följande mottagare | dessa mottagare | følgende modtager | følgende mottaker
    seuraaville vastaanottajille
    következő címzett | aşağıdaki alıcı | următorii destinatari | наступним отримувачам
    наступним одержувачам
    다음 수신자 | 다음 받는 사람 | 次の受信者 | 次のあて先 | 以下のメールアドレス | 以下の受信者
    以下收件人 | 下列收件人 | 下列收件者
""")

#: Asked by systems that want proof of a person before they deliver (challenge and response).
CHALLENGE = _phrases("""
    confirm your message | confirm this message | confirm that you sent | confirm you are a real
    please confirm your e-mail to | verify that you are a real | verify that you are a person
    verify that you are human | prove that you are human | prove that you're human
    real live human | is being held because the address | address has not been verified
    to release your message for delivery | your message is being held until | has been held until you
    message requires verification | message requires confirmation | requires that you verify
    reply to this message to confirm | simply reply to this message | spamarrest | spam arrest | tmda
    boxtrapper | allowed senders list | allowed sender list | approved senders list | on my whitelist
    one-time authentication | one-time verification | challenge-response | challenge/response
    anti-spam confirmation | antispam confirmation
    bestätigen sie ihre nachricht | confirmez votre message | confirme su mensaje | confirme sua mensagem
""")

#: Subjects of read receipts that carry no part for machines, as they begin.
READ_SUBJECT = _phrases("""
    read: | not read: | return receipt (displayed) | disposition notification | read receipt
    gelesen: | ungelesen gelöscht: | lu: | lu : | non lu: | leído: | lida: | letto: | gelezen: | läst:
    przeczytano: | прочитано: | 開封済み: | 已读: | 已讀取:
""")

#: Written by absence notes, for those that say it neither in a field nor in the subject.
AWAY = _phrases("""
    out of the office | out of office | on vacation | on holiday | on leave | away from my | i am away
    i'm away | currently away | annual leave | maternity leave | limited access to e
    will be back | upon my return | when i return | as soon as possible after
    nicht im büro | nicht im haus | abwesend | im urlaub | absent du bureau | en congé | en vacances
    fuera de la oficina | de vacaciones | fora do escritório | de férias | fuori ufficio | in ferie
    afwezig | op vakantie | nieobecn | urlop | в отпуске | отсутствую | 不在 | 休暇 | 外出 | 休假
""")

#: Subjects of absence notes, for those that say it nowhere else. Only at the beginning of a subject.
VACATION = _phrases("""
    auto: | auto-reply | autoreply | auto reply | auto response | auto-response | autoresponse
    automatic reply | automated reply | automated response | out of office | out-of-office | on vacation
    vacation | away from my mail | away from the office | thank you for your e-mail
    thank you for your email | thank you for your message | thank you for contacting | automatische antwort
    abwesenheit | abwesend | réponse automatique | absence du bureau | respuesta automática
    fuera de la oficina | resposta automática | risposta automatica | fuori sede | fuori ufficio
    automatisch antwoord | automatische beantwoording | afwezig | autosvar | automatiskt svar
    automatisk svar | frånvarande | automaattinen vastaus | automatyczna odpowiedź | odpowiedź automatyczna
    nieobecność | automatická odpověď | автоответ | автоматический ответ | автоматична відповідь | 自動応答
    自動返信 | 不在 | 自动回复 | 自动答复 | 自動回覆
""")

"""The code of a country (ISO 3166-1), for a platform that tells its English name, in whichever way that is spelled."""

from __future__ import annotations

_NAMED = """
AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua and Barbuda/Antigua & Barbuda; AI Anguilla; AL
Albania; AM Armenia; AO Angola; AQ Antarctica; AR Argentina; AS American Samoa; AT Austria; AU Australia; AW Aruba;
AX Åland Islands/Aland Islands; AZ Azerbaijan; BA Bosnia and Herzegovina/Bosnia & Herzegovina; BB Barbados; BD
Bangladesh; BE Belgium; BF Burkina Faso; BG Bulgaria; BH Bahrain; BI Burundi; BJ Benin; BL Saint Barthélemy/St.
Barthélemy; BM Bermuda; BN Brunei/Brunei Darussalam; BO Bolivia; BQ Caribbean Netherlands/Bonaire; BR Brazil; BS
Bahamas/The Bahamas/Bahamas, The; BT Bhutan; BV Bouvet Island; BW Botswana; BY Belarus; BZ Belize; CA Canada; CC
Cocos (Keeling) Islands; CD Democratic Republic of the Congo/Congo (DRC)/Congo - Kinshasa; CF Central African
Republic; CG Republic of the Congo/Congo/Congo - Brazzaville; CH Switzerland; CI Côte d'Ivoire/Cote d'Ivoire/Ivory
Coast; CK Cook Islands; CL Chile; CM Cameroon; CN China; CO Colombia; CR Costa Rica; CU Cuba; CV Cape Verde/Cabo
Verde; CW Curaçao/Curacao; CX Christmas Island; CY Cyprus; CZ Czechia/Czech Republic; DE Germany; DJ Djibouti; DK
Denmark; DM Dominica; DO Dominican Republic; DZ Algeria; EC Ecuador; EE Estonia; EG Egypt; EH Western Sahara; ER
Eritrea; ES Spain; ET Ethiopia; FI Finland; FJ Fiji; FK Falkland Islands/Falkland Islands (Islas Malvinas); FM
Micronesia; FO Faroe Islands/Faeroe Islands; FR France; GA Gabon; GB United Kingdom/Great Britain; GD Grenada; GE
Georgia; GF French Guiana; GG Guernsey; GH Ghana; GI Gibraltar; GL Greenland; GM Gambia/The Gambia/Gambia, The; GN
Guinea; GP Guadeloupe; GQ Equatorial Guinea; GR Greece; GS South Georgia and the South Sandwich Islands/South
Georgia & South Sandwich Islands; GT Guatemala; GU Guam; GW Guinea-Bissau; GY Guyana; HK Hong Kong/Hong Kong SAR; HM
Heard Island and McDonald Islands/Heard & McDonald Islands; HN Honduras; HR Croatia; HT Haiti; HU Hungary; ID
Indonesia; IE Ireland; IL Israel; IM Isle of Man; IN India; IO British Indian Ocean Territory; IQ Iraq; IR Iran; IS
Iceland; IT Italy; JE Jersey; JM Jamaica; JO Jordan; JP Japan; KE Kenya; KG Kyrgyzstan; KH Cambodia; KI Kiribati; KM
Comoros; KN Saint Kitts and Nevis/St. Kitts & Nevis/St. Kitts and Nevis; KP North Korea; KR South
Korea/Korea/Republic of Korea; KW Kuwait; KY Cayman Islands; KZ Kazakhstan; LA Laos/Lao People's Democratic
Republic; LB Lebanon; LC Saint Lucia/St. Lucia; LI Liechtenstein; LK Sri Lanka; LR Liberia; LS Lesotho; LT
Lithuania; LU Luxembourg; LV Latvia; LY Libya; MA Morocco; MC Monaco; MD Moldova/Republic of Moldova; ME Montenegro;
MF Saint Martin/St. Martin; MG Madagascar; MH Marshall Islands; MK North Macedonia/Macedonia/Macedonia
(FYROM)/Macedonia, FYRO; ML Mali; MM Myanmar/Myanmar (Burma)/Burma; MN Mongolia; MO Macao/Macau/Macao SAR/Macau SAR;
MP Northern Mariana Islands; MQ Martinique; MR Mauritania; MS Montserrat; MT Malta; MU Mauritius; MV Maldives; MW
Malawi; MX Mexico; MY Malaysia; MZ Mozambique; NA Namibia; NC New Caledonia; NE Niger; NF Norfolk Island; NG
Nigeria; NI Nicaragua; NL Netherlands/The Netherlands; NO Norway; NP Nepal; NR Nauru; NU Niue; NZ New Zealand; OM
Oman; PA Panama; PE Peru; PF French Polynesia; PG Papua New Guinea; PH Philippines; PK Pakistan; PL Poland; PM Saint
Pierre and Miquelon/St. Pierre & Miquelon/St. Pierre and Miquelon; PN Pitcairn Islands; PR Puerto Rico; PS
Palestine/Palestinian Territories/Palestinian Authority; PT Portugal; PW Palau; PY Paraguay; QA Qatar; RE
Réunion/Reunion; RO Romania; RS Serbia; RU Russia/Russian Federation; RW Rwanda; SA Saudi Arabia; SB Solomon
Islands; SC Seychelles; SD Sudan; SE Sweden; SG Singapore; SH Saint Helena/St. Helena; SI Slovenia; SJ Svalbard and
Jan Mayen/Svalbard & Jan Mayen; SK Slovakia; SL Sierra Leone; SM San Marino; SN Senegal; SO Somalia; SR Suriname; SS
South Sudan; ST Sao Tome and Principe/São Tomé and Príncipe/São Tomé & Príncipe; SV El Salvador; SX Sint Maarten; SY
Syria/Syrian Arab Republic; SZ Eswatini/Swaziland; TC Turks and Caicos Islands/Turks & Caicos Islands; TD Chad; TF
French Southern Territories/French Southern and Antarctic Lands; TG Togo; TH Thailand; TJ Tajikistan; TK Tokelau; TL
Timor-Leste/East Timor; TM Turkmenistan; TN Tunisia; TO Tonga; TR Türkiye/Turkey; TT Trinidad and Tobago/Trinidad &
Tobago; TV Tuvalu; TW Taiwan; TZ Tanzania; UA Ukraine; UG Uganda; UM U.S. Outlying Islands; US United States/United
States of America; UY Uruguay; UZ Uzbekistan; VA Vatican City/Holy See; VC Saint Vincent and the Grenadines/St.
Vincent & Grenadines/St. Vincent and the Grenadines; VE Venezuela; VG British Virgin Islands; VI U.S. Virgin
Islands/Virgin Islands; VN Vietnam/Viet Nam; VU Vanuatu; WF Wallis and Futuna/Wallis & Futuna; WS Samoa; YE Yemen;
YT Mayotte; ZA South Africa; ZM Zambia; ZW Zimbabwe
"""
"""Code and names of each, by the standard of 2024 and what the countries are called beside it."""

CODES = {
    name.lower(): code
    for code, _, names in (each.strip().partition(" ") for each in _NAMED.replace("\n", " ").split(";"))
    for name in names.split("/")
}
"""The code of two letters, by the name in small letters."""
